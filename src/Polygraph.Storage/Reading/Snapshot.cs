using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>One state of the database, pinned until disposed. Used by one thread at a time.</summary>
public sealed class Snapshot : IDisposable
{
    private Snapshot()
    {
    }

    /// <summary>The last log entry whose effects the snapshot holds.</summary>
    public Position Position => throw new NotImplementedException();

    /// <summary>Runs a read-only unit in the snapshot.</summary>
    public UnitResult Execute(SqlUnit unit) => throw new NotImplementedException();

    /// <summary>Reads every row of every replicated table, and of the idempotency table, and computes the digests anew.</summary>
    public IReadOnlyList<TableScan> FullScan(CancellationToken cancellation) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
