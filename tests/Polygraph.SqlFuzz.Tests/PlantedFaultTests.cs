using Polygraph.SqlFuzz.Generation;
using Polygraph.Storage;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;

namespace Polygraph.SqlFuzz.Tests;

/// <summary>A fuzzer that finds nothing proves something only if it finds what is there.</summary>
public sealed class PlantedFaultTests
{
    private const int StatementsMax = 40_000;

    [Theory]
    [InlineData(nameof(CaptureFault.MissesReplacedRow))]
    [InlineData(nameof(CaptureFault.MissesCascade))]
    [InlineData(nameof(CaptureFault.LosesRowid))]
    [InlineData(nameof(CaptureFault.ChangesAffinity))]
    [InlineData(nameof(CaptureFault.TrustsOld))]
    public void A_planted_mistake_of_capture_is_found(string name)
    {
        Assert.SkipUnless(SqliteLibrary.HasPreupdateHook, "this SQLite has no preupdate hook");
        var fault = Enum.Parse<CaptureFault>(name);
        var fuzz = new DatabaseFuzz(ReplicaDatabaseOptions.Default with { Fault = fault }, new Coverage());
        var statements = 0;
        for (ulong seed = 1; statements < StatementsMax; seed++)
        {
            var result = fuzz.Run(seed, 200);
            statements += result.Statements;
            if (result.Difference is not { } difference)
                continue;
            TestContext.Current.TestOutputHelper?.WriteLine($"{name}: found after {statements} statements, seed {seed}: {difference}");
            return;
        }

        Assert.Fail($"{name} was not found in {statements} statements.");
    }
}
