using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Execution;

/// <summary>
/// The transaction that a unit opens for itself (BEGIN, SAVEPOINT), as savepoints inside the batch's transaction. Owned by the writer.
/// </summary>
internal sealed class UnitTransaction(WriterConnection writer, Func<UnitMark> mark, Action<UnitMark> cutTo)
{
    private const string Begin = "polygraph_transaction";

    // The innermost last. The first one began the transaction.
    private readonly List<(string Name, UnitMark Mark)> _savepoints = [];

    /// <summary>Whether the open transaction was begun as one that only reads.</summary>
    internal bool IsReadOnly { get; private set; }

    internal bool IsOpen => _savepoints.Count > 0;

    /// <summary>The state at which the open transaction began.</summary>
    internal UnitMark Start => _savepoints[0].Mark;

    /// <summary>Forgets the savepoints, which SQLite has already undone.</summary>
    internal void Forget()
    {
        _savepoints.Clear();
        IsReadOnly = false;
    }

    /// <summary>Undoes an open transaction.</summary>
    internal void RollBack()
    {
        if (!IsOpen)
            return;
        Undo(0);
        writer.Run("RELEASE " + Quoted(0));
        Forget();
    }

    /// <summary>Runs a transaction statement; null if it went well.</summary>
    internal SqlError? Run(StatementFacts facts)
    {
        switch (facts.Transaction)
        {
            case TransactionStep.Begin:
                if (IsOpen)
                    return Error("cannot start a transaction within a transaction");
                Open(Begin);
                IsReadOnly = facts.Kind == TransactionKind.ReadOnly;
                return null;
            case TransactionStep.Savepoint:
                Open(facts.SavepointName);
                return null;
            case TransactionStep.Commit:
                return IsOpen ? Release(0) : Error("cannot commit - no transaction is active");
            case TransactionStep.Rollback:
                if (!IsOpen)
                    return Error("cannot rollback - no transaction is active");
                RollBack();
                return null;
            default:
                return RunNamed(facts);
        }
    }

    private SqlError? RunNamed(StatementFacts facts)
    {
        var index = _savepoints.FindLastIndex(
            savepoint => savepoint.Name != Begin && savepoint.Name.Equals(facts.SavepointName, StringComparison.OrdinalIgnoreCase));
        if (index < 0)
            return Error("no such savepoint: " + facts.SavepointName);
        if (facts.Transaction == TransactionStep.Release)
            return Release(index);
        Undo(index);
        _savepoints.RemoveRange(index + 1, _savepoints.Count - index - 1);
        return null;
    }

    private void Open(string name)
    {
        _savepoints.Add((name, mark()));
        writer.Connection.Execute("SAVEPOINT " + Quoted(_savepoints.Count - 1));
    }

    private void Undo(int index)
    {
        writer.Connection.Execute("ROLLBACK TO " + Quoted(index));
        cutTo(_savepoints[index].Mark);
    }

    private SqlError? Release(int index)
    {
        // As at a COMMIT of its own, which this is for the client: the transaction stays open so that it can be put right.
        if (index == 0 && writer.Connection.HasUnresolvedForeignKeys)
            return WriterSession.ForeignKeyError;
        writer.Connection.Execute("RELEASE " + Quoted(index));
        _savepoints.RemoveRange(index, _savepoints.Count - index);
        IsReadOnly &= IsOpen;
        return null;
    }

    /// <summary>The name in SQLite: numbered, so that the client may use a name twice.</summary>
    private static string Quoted(int index) => "polygraph_savepoint_" + index.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static SqlError Error(string message) => new(SqliteCode.NameOf(SqliteCode.Error), message);
}

/// <summary>A point of a unit: what it had captured, and what it knew of AUTOINCREMENT.</summary>
internal readonly record struct UnitMark(
    CaptureMark Capture, IReadOnlyList<SequenceRow>? Sequences, bool Wrote);
