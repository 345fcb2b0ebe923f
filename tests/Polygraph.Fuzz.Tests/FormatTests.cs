using Polygraph.Fuzz.Formats;
using Polygraph.Fuzz.Running;

namespace Polygraph.Fuzz.Tests;

/// <summary>Every format, for some thousand inputs: what is valid comes back, what is damaged is read or refused.</summary>
public sealed class FormatTests(ITestOutputHelper output)
{
    /// <summary>A few batches of each; the program is there for more.</summary>
    private const int InputsEach = 4 * Batch.InputsMax;

    public static TheoryData<string> Names => [.. AllFormats.List.Select(format => format.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Damaged_inputs_are_read_or_refused_and_nothing_else(string name)
    {
        var format = AllFormats.Find(name)!;
        var run = new FuzzRun(Options.Default with { Inputs = InputsEach, Seed = 7, Only = name }, [format], _ => { });

        run.Run();

        foreach (var failure in run.Failures)
            output.WriteLine($"{failure.Command}\n{failure.Complaint}\n{(failure.Input is { } input ? Convert.ToHexStringLower(input) : "")}");
        Assert.Empty(run.Failures);
        Assert.Equal(InputsEach, run.Tallies[name].Inputs);

        // A format of which everything is refused, or nothing that may be, is not tried at all. The lexer takes every text.
        Assert.InRange(run.Tallies[name].Accepted, InputsEach / 50, name == "sql-tokens" ? InputsEach : InputsEach - 1);
    }

    [Fact]
    public void The_same_seed_gives_the_same_inputs()
    {
        var first = Bytes();

        Assert.Equal(first, Bytes());

        static (long, long) Bytes()
        {
            var tally = new Tally();
            using var watchdog = new Watchdog(FuzzRun.Patience, _ => { });
            foreach (var format in AllFormats.List.Where(format => format.Name != "hrana-baton")) // Signed with a key that the process draws.
                Batch.Run(format, 3, Batch.InputsMax, tally, watchdog, failure => Assert.Fail(failure.Complaint));
            return (tally.Bytes, tally.Accepted);
        }
    }
}
