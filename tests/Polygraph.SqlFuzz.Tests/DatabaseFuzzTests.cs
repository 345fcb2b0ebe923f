using Polygraph.SqlFuzz.Generation;
using Polygraph.SqlFuzz.Running;
using Polygraph.Storage;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Tests;

public sealed class DatabaseFuzzTests
{
    private static readonly ReplicaDatabaseOptions Options = ReplicaDatabaseOptions.Default;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Plain_SQLite_and_three_replicas_are_the_same(ulong seed)
    {
        Assert.SkipUnless(SqliteLibrary.HasPreupdateHook, "this SQLite has no preupdate hook, so REPLACE differs");
        Assert.Null(new DatabaseFuzz(Options, new Coverage()).Run(seed, 200).Difference);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Replicas_without_the_preupdate_hook_are_the_same(ulong seed)
        => Assert.Null(new DatabaseFuzz(Options with { WithoutPreupdateHook = true }, new Coverage()).Run(seed, 200).Difference);

    [Fact]
    public void A_seed_always_draws_the_same_script()
    {
        var first = new DatabaseFuzz(Options, new Coverage()).Run(7, 60);
        var second = new DatabaseFuzz(Options, new Coverage()).Run(7, 60);
        Assert.Equal(ScriptText.Of(first.Script), ScriptText.Of(second.Script));
    }

    [Fact]
    public void A_script_shrinks_to_what_makes_the_difference()
    {
        var fuzz = new DatabaseFuzz(Options with { Fault = CaptureFault.LosesRowid }, new Coverage());
        string[] script =
        [
            "CREATE TABLE other(id INTEGER PRIMARY KEY)", "INSERT INTO other VALUES (1), (2)", "CREATE TABLE t(a)", "UPDATE other SET id = id + 7",
            "INSERT INTO t VALUES (1)", "DELETE FROM other",
        ];
        IReadOnlyList<ScriptStep> steps =
            [.. script.Select(text => new ScriptStep.Batch([new ScriptUnit(UnitMode.Autocommit, [new SqlStatement(text, [])])]))];
        var shrunk = new Shrinker(fewer => fuzz.Replay(fewer, isPlain: true) is not null, TimeSpan.FromMinutes(1)).Shrink(steps);
        Assert.Equal(
            ["CREATE TABLE t(a)", "INSERT INTO t VALUES (1)"],
            shrunk.OfType<ScriptStep.Batch>().SelectMany(batch => batch.Units).SelectMany(unit => unit.Statements).Select(statement => statement.Text));
    }
}
