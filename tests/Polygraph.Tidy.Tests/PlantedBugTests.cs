using Polygraph.Tidy.Tests.Reading;
using Polygraph.Tidy.Tests.Rules;

namespace Polygraph.Tidy.Tests;

/// <summary>Known mistakes stand in the production code, one line each, and in nothing that anybody runs: docs/planted-bugs.md.</summary>
public sealed class PlantedBugTests
{
    private static readonly IReadOnlySet<string> Names =
        Repository.Code("src").SelectMany(PlantedBugRules.Planted).Select(planted => planted.Name).ToHashSet(StringComparer.Ordinal);

    private static SourceFile Catalogue => Repository.Files.Single(file => file.Path == "sim/Polygraph.PlantedBugs/Catalogue.cs");

    [Fact]
    public void Every_planted_mistake_is_hunted_and_every_hunted_one_is_planted()
        => Assert.Equal(Names.Order(StringComparer.Ordinal), PlantedBugRules.Described(Catalogue).Order(StringComparer.Ordinal));

    [Fact]
    public void Production_code_is_the_same_with_and_without_the_switch()
        => Tidy.NothingFound(Repository.Code("src").SelectMany(PlantedBugRules.Conditional));

    [Theory]
    [InlineData("Polygraph.Protocol", "Polygraph.Protocol")]
    [InlineData("Polygraph.Wire", "Polygraph.Wire")]
    [InlineData("Polygraph.Storage", "Polygraph.Storage")]
    [InlineData("Polygraph.Transport", "Polygraph.Transport")]
    [InlineData("Polygraph.Node", "Polygraph.Node")]
    [InlineData("Polygraph.Cli", "polygraph")]
    public void What_is_built_for_everybody_holds_no_trace_of_a_mistake(string project, string assembly)
        => Assert.Empty(PlantedBugRules.TracesIn(BuiltAs("bin", project, assembly), Names));

    [Fact]
    public void A_trace_is_found_where_there_is_one()
    {
        var traces = PlantedBugRules.TracesIn(BuiltAs("bin/planted", "Polygraph.Protocol", "Polygraph.Protocol"), Names).ToList();

        Assert.Contains("type BugSwitch", traces);
        Assert.Contains("method Plant", traces);
        Assert.Contains("text AckBeforeFsync", traces);
    }

    [Fact]
    public void A_file_that_is_partly_under_the_switch_is_found()
    {
        const string Whole = "#if POLYGRAPH_PLANTED_BUGS\nclass A;\n#endif\n";

        Assert.Empty(PlantedBugRules.Conditional(Tidy.Sample(Whole)));
        Assert.Single(PlantedBugRules.Conditional(Tidy.Sample("class B;\n" + Whole)));
    }

    // Next to this assembly's own configuration, which the build has made together with it.
    private static string BuiltAs(string output, string project, string assembly)
    {
        var own = Path.GetRelativePath(Repository.Root, Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)).Replace('\\', '/').Split('/');
        var (configuration, framework) = (own[^2], own[^1]);
        return Path.Combine(Repository.Root, "src", project, output, configuration, framework, assembly + ".dll");
    }
}
