using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Execution;

/// <summary>
/// Listens while SQLite compiles a client's statement: notes what it will touch, and refuses what would reach outside the replicated
/// database. Statements of our own pass unheard. Owned by the connection's owner.
/// </summary>
internal sealed unsafe class StatementAuthorizer : IDisposable
{
    private GCHandle _self;
    private StatementFacts? _listening;
    private bool _clientRuns;

    /// <summary>Installs the authorizer. Dispose it after the connection is closed.</summary>
    internal StatementAuthorizer(SqliteConnection connection)
    {
        _self = GCHandle.Alloc(this);
        connection.Check(NativeMethods.sqlite3_set_authorizer(connection.Pointer, &Call, GCHandle.ToIntPtr(_self)));
    }

    /// <summary>Notes what the next compilation touches, until <see cref="StopListening"/>.</summary>
    internal void Listen(StatementFacts facts) => _listening = facts;

    internal void StopListening() => _listening = null;

    /// <summary>While a client's statement runs SQLite may compile it again; the rules then hold as they did before.</summary>
    internal void SetClientRuns(bool runs) => _clientRuns = runs;

    public void Dispose()
    {
        if (_self.IsAllocated)
            _self.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Call(nint state, int action, byte* first, byte* second, byte* database, byte* trigger)
    {
        var self = (StatementAuthorizer)GCHandle.FromIntPtr(state).Target!;
        if (self._listening is null && !self._clientRuns)
            return SqliteCode.Ok;
        try
        {
            return self.Authorize((AuthorizerAction)action, Utf8.ReadOrNull(first), Utf8.ReadOrNull(second), Utf8.ReadOrNull(database), Utf8.ReadOrNull(trigger));
        }
        catch (Exception exception)
        {
            // No exception may cross into SQLite; refusing is the safe answer.
            if (self._listening is { } facts)
                facts.Denial = exception.Message;
            return AuthorizerAnswer.Deny;
        }
    }

    private int Authorize(AuthorizerAction action, string? first, string? second, string? database, string? trigger)
    {
        // Compiled again while it runs, it was found in order before, as the schema statement that it may be.
        var facts = _listening ?? new StatementFacts { ChangesSchema = true };
        if (trigger is not null && !SqlName.IsOwn(trigger))
            facts.Triggers.Add(trigger);
        var denial = AuthorizerRules.Denial(action, first, second, database, trigger, facts);
        if (denial is not null)
        {
            facts.Denial ??= denial;
            return AuthorizerAnswer.Deny;
        }

        Note(facts, action, first, second, trigger);
        return SqliteCode.Ok;
    }

    private static void Note(StatementFacts facts, AuthorizerAction action, string? first, string? second, string? trigger)
    {
        switch (action)
        {
            case AuthorizerAction.Insert or AuthorizerAction.Update or AuthorizerAction.Delete:
                facts.WrittenTables.Add(first!);
                facts.WritesSequences |= first == "sqlite_sequence";
                if (trigger is not null)
                    facts.WrittenByTriggers.Add(first!);
                if (action == AuthorizerAction.Insert)
                    facts.InsertedTables.Add(first!);
                if (action == AuthorizerAction.Insert && trigger is null)
                    facts.InsertTarget = first;
                break;
            case AuthorizerAction.Function:
                facts.ReadsChanges |= "changes".Equals(second, StringComparison.OrdinalIgnoreCase);
                if (LocalNames.IsFunction(second!))
                    facts.LocalFunction = second;
                break;
            case AuthorizerAction.Read:
                facts.ReadTables.Add(first!);
                facts.ReadColumns.Add((first!, second!));
                break;
            case AuthorizerAction.AlterTable:
                facts.ChangesSchema = facts.IsAlter = true;
                break;
            case AuthorizerAction.Transaction:
                facts.Transaction = first switch
                {
                    "BEGIN" => TransactionStep.Begin,
                    "COMMIT" => TransactionStep.Commit,
                    _ => TransactionStep.Rollback,
                };
                break;
            case AuthorizerAction.Savepoint:
                facts.Transaction = first switch
                {
                    "BEGIN" => TransactionStep.Savepoint,
                    "RELEASE" => TransactionStep.Release,
                    _ => TransactionStep.RollbackTo,
                };
                facts.SavepointName = second ?? "";
                break;
            case AuthorizerAction.Pragma:
                facts.Pragma = first!.ToLowerInvariant();
                facts.PragmaArgument = second;
                facts.ChangesSchema |= PragmaRules.IsReplicated(facts.Pragma, second);
                break;
            default:
                facts.ChangesSchema |= AuthorizerRules.IsSchemaChange(action);
                break;
        }
    }
}
