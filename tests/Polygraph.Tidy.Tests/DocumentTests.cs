using Polygraph.Tidy.Tests.Reading;
using Polygraph.Tidy.Tests.Rules;

namespace Polygraph.Tidy.Tests;

public sealed class DocumentTests
{
    private static readonly DocumentRules Rules = new(Repository.Files);

    private static IEnumerable<SourceFile> Documents => Repository.Files.Where(file => file.Path.EndsWith(".md", StringComparison.Ordinal));

    [Fact]
    public void Links_lead_somewhere() => Tidy.NothingFound(Documents.SelectMany(Rules.BrokenLinks));

    [Fact]
    public void Files_that_documents_name_are_there() => Tidy.NothingFound(Documents.SelectMany(Rules.MissingFiles));

    [Fact]
    public void Tests_that_documents_name_exist() => Tidy.NothingFound(Documents.SelectMany(Rules.MissingTests));

    [Fact]
    public void Members_that_documents_name_exist() => Tidy.NothingFound(Documents.SelectMany(Rules.MissingMembers));

    [Fact]
    public void Samples_in_documents_are_taken_from_the_code() => Tidy.NothingFound(Documents.SelectMany(Rules.InventedSamples));

    [Fact]
    public void Every_decision_is_in_the_index()
        => Tidy.NothingFound(Rules.UnlistedDecisions());

    [Fact]
    public void A_decision_that_the_index_lacks_is_found()
    {
        var rules = new DocumentRules(
        [
            Tidy.Sample("[one](0001-one.md)", "docs/adr/README.md"), Tidy.Sample("", "docs/adr/0001-one.md"), Tidy.Sample("", "docs/adr/0002-two.md"),
        ]);

        Assert.Equal("docs/adr/0002-two.md", Assert.Single(rules.UnlistedDecisions()).Path);
    }

    [Theory]
    [InlineData("[a](gone.md)", 1)]
    [InlineData("[a](other.md#no-such-heading)", 1)]
    [InlineData("[a](../docs/other.md#the-first-heading)", 0)]
    [InlineData("[a](#here) \n## Here", 0)]
    [InlineData("[a](https://example.org/gone.md)", 0)]
    [InlineData("```\n[a](gone.md)\n```\n", 0)]
    public void A_link_that_leads_nowhere_is_found(string text, int found)
    {
        var document = Tidy.Sample(text, "docs/sample.md");
        var rules = new DocumentRules([document, Tidy.Sample("# The first heading!\n", "docs/other.md")]);

        Assert.Equal(found, rules.BrokenLinks(document).Count());
    }

    [Theory]
    [InlineData("see `src/Gone/Gone.cs`", 1)]
    [InlineData("see `src/There/There.cs` and `src/There/`", 0)]
    public void A_file_that_is_not_there_is_found(string text, int found)
    {
        var document = Tidy.Sample(text, "docs/sample.md");
        var rules = new DocumentRules([document, Tidy.Sample("", "src/There/There.cs")]);

        Assert.Equal(found, rules.MissingFiles(document).Count());
    }

    [Theory]
    [InlineData("see `Log.Gone`", 1)]
    [InlineData("see `Gone.First`", 1)]
    [InlineData("see `Log.First`, `Polygraph.Gone`, `LogTests.Gone`, `log.first`", 0)]
    public void A_member_that_does_not_exist_is_found(string text, int found)
    {
        var document = Tidy.Sample(text, "docs/sample.md");
        var rules = new DocumentRules([document, Tidy.Sample("public class Log { public int First { get; } }", "src/Polygraph.A/Log.cs")]);

        Assert.Equal(found, rules.MissingMembers(document).Count());
    }

    [Fact]
    public void A_sample_that_is_not_in_the_code_is_found()
    {
        var document = Tidy.Sample("```csharp\nvar a = 1;\nvar gone = 2;\n```\n```\nno code\n```\n", "docs/sample.md");
        var rules = new DocumentRules([document, Tidy.Sample("    var a = 1;", "src/Polygraph.A/Log.cs")]);

        Assert.Equal("docs/sample.md:1: no source file has the line: var gone = 2;", Assert.Single(rules.InventedSamples(document)).ToString());
    }

    [Theory]
    [InlineData("guarded by `LogTests.Gone`", 1)]
    [InlineData("guarded by `GoneTests`", 1)]
    [InlineData("guarded by `LogTests.Holds` and `LogTests`", 0)]
    public void A_test_that_does_not_exist_is_found(string text, int found)
    {
        var document = Tidy.Sample(text, "docs/sample.md");
        var rules = new DocumentRules([document, Tidy.Sample("public class LogTests { public void Holds() { } }", "tests/Polygraph.A.Tests/LogTests.cs")]);

        Assert.Equal(found, rules.MissingTests(document).Count());
    }
}
