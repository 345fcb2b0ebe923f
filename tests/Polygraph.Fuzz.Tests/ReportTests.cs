using Polygraph.Fuzz.Formats;
using Polygraph.Fuzz.Running;

namespace Polygraph.Fuzz.Tests;

/// <summary>What a run says of the formats that it was for.</summary>
public sealed class ReportTests
{
    [Theory]
    [InlineData(20_000)]
    [InlineData(1_000)]
    public void Every_format_has_its_share_of_few_inputs(int inputs)
    {
        var run = new FuzzRun(Options.Default with { Inputs = inputs }, AllFormats.List, _ => { });

        run.Run();

        Assert.Equal(AllFormats.List.Select(format => format.Name).Order(StringComparer.Ordinal), run.Tallies.Keys.Order(StringComparer.Ordinal));
        Assert.All(run.Tallies.Values, tally => Assert.InRange(tally.Inputs, 1, inputs / 10));
        Assert.Equal(inputs, run.Tallies.Values.Sum(tally => tally.Inputs));
    }

    [Fact]
    public void A_run_that_did_not_reach_a_format_does_not_look_complete()
    {
        using var output = new StringWriter();

        Report.Run(Options.Default with { Inputs = AllFormats.List.Count - 1 }, output);

        var lines = output.ToString().TrimEnd().Split(output.NewLine);
        Assert.Contains(lines, line => line.StartsWith(AllFormats.List[^1].Name, StringComparison.Ordinal) && line.EndsWith("not reached", StringComparison.Ordinal));
        Assert.EndsWith($"INCOMPLETE: 1 of {AllFormats.List.Count} formats were not reached", lines[^1], StringComparison.Ordinal);
    }
}
