using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>The answer of a read, and the last log entry whose effects its snapshot holds.</summary>
public readonly record struct ReadExecution(UnitResult Result, Position Snapshot);

/// <summary>One table read from beginning to end.</summary>
/// <param name="Table">Its name.</param>
/// <param name="Digest">The digest of the rows that were read.</param>
/// <param name="Recorded">The incremental digest kept in the database, null for a table that keeps none.</param>
/// <param name="Rows">How many rows it has.</param>
public sealed record TableScan(string Table, Digest128 Digest, Digest128? Recorded, long Rows)
{
    /// <summary>Whether the rows are those that the incremental digest tells of.</summary>
    public bool IsConsistent => Recorded is null || Recorded == Digest;
}
