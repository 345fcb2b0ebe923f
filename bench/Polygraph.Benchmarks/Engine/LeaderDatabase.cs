using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Benchmarks.Engine;

/// <summary>A leader's database as the writer thread drives it: batches of units, each made into an encoded entry. Without log and network.</summary>
internal sealed class LeaderDatabase(string path) : IDisposable
{
    private static readonly Term Term = new(1);

    private readonly ReplicaDatabase _database = ReplicaDatabase.Open(path, ReplicaDatabaseOptions.Default);
    private LogIndex _next = new(1);

    /// <summary>Executes units in one SQLite transaction. The entries are handed to <paramref name="take"/>, if it is given.</summary>
    public void Batch(IReadOnlyList<SqlUnit> units, int first, int count, bool withKeys = false, Action<LogEntry>? take = null)
    {
        _database.BeginBatch();
        for (var i = first; i < first + count; i++)
        {
            var key = withKeys ? Guid.CreateVersion7().ToString() : null;
            var context = new EntryContext(
                new Position(Term, _next), 1_700_000_000_000_000 + (long)_next.Value, (1_700_000_000_000UL << 16) + _next.Value, null, key, 7, AckLevel.Quorum, "local");
            var execution = _database.Execute(units[i], context);
            if (execution.Entry is not { } entry)
                throw new InvalidOperationException($"A unit of the benchmark failed: {execution.Result.FirstError?.Message}");
            _next = _next.Next;
            take?.Invoke(entry);
        }

        _database.CommitBatch();
    }

    public void Execute(string sql, Action<LogEntry>? take = null) => Batch([Unit([new SqlStatement(sql, [])])], 0, 1, take: take);

    /// <summary>One client transaction.</summary>
    public static SqlUnit Unit(IEnumerable<SqlStatement> statements)
        => new(UnitMode.Atomic, [.. statements.Select(statement => new SqlStep.Execute(statement))]);

    /// <summary>The same outside of what is timed, as <see cref="PlainDatabase"/> does it.</summary>
    public void Checkpoint() => _database.Connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");

    public void Dispose() => _database.Dispose();
}
