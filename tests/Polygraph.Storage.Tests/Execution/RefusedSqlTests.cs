using System.Text.RegularExpressions;
using Polygraph.Storage.Execution;
using Polygraph.Storage.Sqlite;
using Polygraph.Storage.Tests.Apply;

namespace Polygraph.Storage.Tests.Execution;

/// <summary>The closed list of SQL that is refused: what it says is so, and the page about limits says the same.</summary>
public sealed class RefusedSqlTests
{
    public static TheoryData<string> Everything => [.. RefusedSql.All.Select(refused => refused.What)];

    [Theory]
    [MemberData(nameof(Everything))]
    public void An_example_of_the_list_is_refused_with_the_words_of_the_list(string what)
    {
        var refused = RefusedSql.All.Single(each => each.What == what);
        Assert.SkipWhen(refused == RefusedSql.ReplaceUnseen && !SqliteLibrary.HasPreupdateHook, "without the hook REPLACE fires delete triggers, which show the rows");
        using var pair = new ReplicaPair();
        if (refused.Setup.Length > 0)
            pair.Run(refused.Setup);
        var before = pair.History.Count;
        var error = pair.Run(Units.Atomic(refused.Example)).Result.FirstError;
        Assert.NotNull(error);
        Assert.Equal(refused.Code, error.Code);
        Assert.Matches("^" + Regex.Escape(refused.Message).Replace(@"\{0}", "[a-z_]+") + "$", error.Message);
        Assert.Equal(before, pair.History.Count);
        pair.AssertSame();

        // A client's request comes to a read-only connection first, which answers it if it only reads.
        using (var reader = pair.Leader.Readers.Rent(TestContext.Current.CancellationToken))
        {
            if (reader.Classify(Units.Atomic(refused.Example)) != UnitClass.Write)
                Assert.Equal(error, reader.Execute(Units.Atomic(refused.Example)).Result.FirstError);
        }

        // Nothing of it has happened, and the replica goes on.
        pair.Run("CREATE TABLE later(a)", "INSERT INTO later VALUES (1)");
        pair.AssertSame();
    }

    [Fact]
    public void Every_pragma_of_this_SQLite_is_in_exactly_one_list()
    {
        using var pair = new ReplicaPair();
        var known = ReplicaPair.Query(pair.Leader, "SELECT name FROM pragma_pragma_list").Select(row => row["Text:".Length..]).ToList();
        Assert.NotEmpty(known);
        Assert.DoesNotContain(known, name => PragmaRules.UseOf(name) is null);
        var listed = Enum.GetValues<PragmaUse>().SelectMany(PragmaRules.Named).ToList();
        Assert.Equal(listed.Distinct(), listed);
    }

    [Fact]
    public void A_pragma_is_refused_as_its_list_says()
    {
        using var pair = new ReplicaPair();
        foreach (var (pragma, argument) in PragmaRules.Named(PragmaUse.ReadOnly).Select(name => (name, " = 1"))
            .Concat(PragmaRules.Named(PragmaUse.Refused).Select(name => (name, ""))).Append(("no_such_pragma", "")))
        {
            var error = pair.Run(Units.Autocommit($"PRAGMA {pragma}{argument}")).Result.FirstError;
            Assert.True(error is { Code: "NOT_ALLOWED" }, $"{pragma}: {error}");
        }

        foreach (var pragma in PragmaRules.Named(PragmaUse.ReadOnly).Concat(PragmaRules.Named(PragmaUse.Replicated)).Concat(PragmaRules.Named(PragmaUse.OfRequest)))
            Assert.Null(pair.Run(Units.Autocommit($"PRAGMA {pragma}")).Result.FirstError);
        foreach (var pragma in PragmaRules.Named(PragmaUse.Informs))
            Assert.Null(pair.Run(Units.Autocommit($"PRAGMA {pragma}", $"PRAGMA {pragma}('sqlite_master')")).Result.FirstError);
        pair.AssertSame();
    }

    [Fact]
    public void The_page_about_limits_has_the_list()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "ARCHITECTURE.md")))
            root = root.Parent!;
        var page = File.ReadAllText(Path.Combine(root.FullName, "docs", "limits.md"));
        var rows = RefusedSql.All.Select(refused => $"| {refused.What} | `{refused.Example}` | {ByWords(refused.By)} |\n");
        Assert.Contains("| refused | for example | found by |\n|---|---|---|\n" + string.Concat(rows) + "\n", page, StringComparison.Ordinal);
    }

    private static string ByWords(RefusedBy by)
        => by switch
        {
            RefusedBy.Authorizer => "authorizer",
            RefusedBy.Pragma => "authorizer, pragma",
            RefusedBy.Function => "authorizer, function",
            RefusedBy.Name => "authorizer, name",
            RefusedBy.Words => "the statement's words",
            RefusedBy.Run => "schema or rows, when it runs",
            RefusedBy.Defensive => "SQLite",
            _ => throw new ArgumentOutOfRangeException(nameof(by), by, "Not in the list."),
        };
}
