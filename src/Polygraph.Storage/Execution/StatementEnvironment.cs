using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Execution;

/// <summary>
/// What a statement could find different on another replica, brought to what the leader's operation says: time, chance, counters, switches.
/// Owned by the writer.
/// </summary>
internal sealed class StatementEnvironment(WriterConnection writer, RepeatableFunctions functions)
{
    private readonly SqliteConnection _connection = writer.Connection;

    /// <summary>On the leader, where switches and counters are what they are: time and chance only.</summary>
    internal T Run<T>(LogicalStatement statement, Func<T> run)
    {
        functions.Fix(_connection, statement.Seed, statement.TotalChanges);
        try
        {
            using (FrozenClock.At(statement.TimeMilliseconds))
                return run();
        }
        finally
        {
            functions.Release();
        }
    }

    /// <summary>Everywhere else, and on a leader that does a batch again.</summary>
    internal T RunAgain<T>(LogicalStatement statement, Func<T> run)
    {
        writer.EnterExecuting(statement.Has(LogicalStatementFlags.ForeignKeys));
        writer.SetRecursiveTriggers(statement.Has(LogicalStatementFlags.RecursiveTriggers));
        if (statement.Has(LogicalStatementFlags.ReadsChanges))
            writer.SetChanges(statement.Changes);
        _connection.LastInsertRowid = statement.LastInsertRowid;
        return Run(statement, run);
    }
}
