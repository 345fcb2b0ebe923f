using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Storage;

namespace Polygraph.Node.Groups;

/// <summary>What one SQLite transaction of a leader executed, until the group loop is told.</summary>
internal sealed class WriteBatch(IWriterReports reports, ulong generation)
{
    private readonly List<LogEntry> _entries = [];
    private readonly List<WriteTicket> _tickets = [];
    private readonly List<ClientWrite> _writes = [];
    private readonly List<(ClientWrite Write, WriteEnd End)> _withoutEntry = [];

    public int Count => _writes.Count;

    public void Add(ClientWrite write, UnitExecution execution)
    {
        write.Result = execution.Result;
        _writes.Add(write);
        if (execution.Entry is { } entry)
        {
            _entries.Add(entry);
            _tickets.Add(new WriteTicket(write.Id, entry.Position, write.Ack));
        }
        else if (execution.Duplicate is { } duplicate)
        {
            AddDuplicate(write, duplicate);
        }
        else if (execution.ToTry is { } plan)
        {
            _withoutEntry.Add((write, new WriteEnd(WriteEndKind.MustBeTried, null, null, Position.Zero) { ToTry = plan }));
        }
        else
        {
            _withoutEntry.Add((write, new WriteEnd(WriteEndKind.NoEntry, execution.Result, null, Position.Zero)));
        }
    }

    /// <summary>SQLite holds it: entries to the log, duplicates to the wait for their ack level, the rest to their clients.</summary>
    public void Report(Position seen)
    {
        // Duplicates of this batch's own entries come after the entries they wait for.
        var own = _entries.Count > 0 ? _entries[0].Position.Index : seen.Index.Next;
        var proposed = _tickets.Where(ticket => ticket.Position.Index >= own).ToList();
        if (_entries.Count > 0)
            reports.Report(new Input.Proposed(generation, _entries, proposed));
        foreach (var ticket in _tickets.Where(ticket => ticket.Position.Index < own))
            reports.Report(new Input.AwaitAck(ticket));
        foreach (var (write, end) in _withoutEntry)
            reports.AnswerWhenCommitted(write, end, seen);
    }

    /// <summary>Commits. If that fails nothing of the batch has happened, and its clients hear it.</summary>
    public void Commit(ReplicaDatabase database)
    {
        try
        {
            database.CommitBatch();
        }
        catch (Exception failure)
        {
            Complete(WriteEnd.AtFailure(failure));
            throw;
        }
    }

    /// <summary>Another unit failed so that nothing was committed: these may run elsewhere.</summary>
    public void Fail() => Complete(WriteEnd.Of(WriteEndKind.NotLeader));

    private void Complete(WriteEnd end)
    {
        foreach (var write in _writes)
            write.Complete(end);
    }

    private void AddDuplicate(ClientWrite write, DuplicateKey duplicate)
    {
        write.Result = duplicate.Result;
        if (duplicate.SameRequest)
            _tickets.Add(new WriteTicket(write.Id, duplicate.Position, write.Ack));
        else
            _withoutEntry.Add((write, new WriteEnd(WriteEndKind.KeyReused, null, null, duplicate.Position)));
    }
}
