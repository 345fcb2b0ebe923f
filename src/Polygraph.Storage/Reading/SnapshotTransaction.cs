using Polygraph.Storage.Execution;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Reading;

/// <summary>
/// The transaction that a client opens on a snapshot. There is nothing to undo in it, so it is only the names that are open, with SQLite's rules
/// and messages. Also used to foresee what a unit leaves open.
/// </summary>
internal sealed class SnapshotTransaction
{
    // The innermost last; null is BEGIN, which can only be the first.
    private readonly List<string?> _names = [];

    internal bool IsOpen => _names.Count > 0;

    /// <summary>What the innermost <c>BEGIN</c> asked for; a savepoint outside of a transaction begins a deferred one.</summary>
    internal TransactionKind Kind { get; private set; }

    /// <summary>The statements that open the same on another connection.</summary>
    internal IReadOnlyList<string> Statements
        => [.. _names.Select(name => name is null ? "BEGIN" : $"SAVEPOINT \"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")];

    internal SnapshotTransaction Copy()
    {
        var copy = new SnapshotTransaction { Kind = Kind };
        copy._names.AddRange(_names);
        return copy;
    }

    internal void Forget() => _names.Clear();

    /// <summary>Throws SQLite's error if the statement has no place here.</summary>
    internal void Run(StatementFacts facts)
    {
        switch (facts.Transaction)
        {
            case TransactionStep.Begin:
                if (IsOpen)
                    throw Error("cannot start a transaction within a transaction");
                _names.Add(null);
                Kind = facts.Kind;
                break;
            case TransactionStep.Savepoint:
                if (!IsOpen)
                    Kind = TransactionKind.Deferred;
                _names.Add(facts.SavepointName);
                break;
            case TransactionStep.Commit or TransactionStep.Rollback:
                if (!IsOpen)
                    throw Error($"cannot {(facts.Transaction == TransactionStep.Commit ? "commit" : "rollback")} - no transaction is active");
                _names.Clear();
                break;
            default:
                var index = _names.FindLastIndex(name => string.Equals(name, facts.SavepointName, StringComparison.OrdinalIgnoreCase));
                if (index < 0)
                    throw Error("no such savepoint: " + facts.SavepointName);
                _names.RemoveRange(index, _names.Count - index);
                if (facts.Transaction == TransactionStep.RollbackTo)
                    _names.Add(facts.SavepointName);
                break;
        }
    }

    private static SqliteException Error(string message) => new(SqliteCode.Error, message);
}
