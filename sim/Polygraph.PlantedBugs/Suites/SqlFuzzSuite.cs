using Polygraph.SqlFuzz;
using Polygraph.SqlFuzz.Generation;
using Polygraph.Storage;

namespace Polygraph.PlantedBugs.Suites;

/// <summary>Random SQL, the same on plain SQLite and on three replicas: one database a seed.</summary>
internal sealed class SqlFuzzSuite : SuiteRun
{
    private const int StatementsOfADatabase = 200;

    private readonly DatabaseFuzz _fuzz = new(ReplicaDatabaseOptions.Default, new Coverage());

    public override string? Try(ulong seed) => _fuzz.Run(seed, StatementsOfADatabase).Difference is null ? null : "ReplicasAreEqual";
}
