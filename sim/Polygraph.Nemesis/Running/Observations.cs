using System.Collections.Concurrent;
using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Running;

/// <summary>What clients saw beside what the history says: how requests ended, and receipts that claim less than their level. Safe for all of them at once.</summary>
internal sealed class Observations(int nodes)
{
    private readonly ConcurrentDictionary<string, int> _endings = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly ConcurrentQueue<(Operation, long)> _boundedReads = new();
    private readonly ConcurrentQueue<(Operation, string)> _reads = new();
    private readonly ConcurrentQueue<Operation> _appliedWrites = new();
    private int _degraded;

    /// <summary>How often each kind of error was met.</summary>
    public IReadOnlyList<(string Ending, int Count)> Endings => [.. _endings.OrderByDescending(ending => ending.Value).Select(ending => (ending.Key, ending.Value))];

    /// <summary>What contradicts a promise by itself, whatever else happened.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Writes that were acknowledged at less than their level, as their receipts say.</summary>
    public int Degraded => _degraded;

    /// <summary>Reads with the bound on their staleness that they were told, in nanoseconds.</summary>
    public IReadOnlyCollection<(Operation Read, long StalenessNanoseconds)> BoundedReads => _boundedReads;

    /// <summary>Reads of what is committed, with the node whose copy each saw.</summary>
    public IReadOnlyCollection<(Operation Read, string Node)> Reads => _reads;

    /// <summary>Writes that were acknowledged as visible.</summary>
    public IReadOnlyCollection<Operation> AppliedWrites => _appliedWrites;

    /// <summary>Keeps what an operation was told beside its position.</summary>
    /// <param name="operation">It has a position.</param>
    /// <param name="ack">What was promised for a write.</param>
    /// <param name="answer">What came.</param>
    public void NoteTold(Operation operation, string ack, Exchange.Answered answer)
    {
        if (answer.Read is { } label)
            NoteRead(operation, label);

        // At "async" the leader shows what may yet vanish, and only to reads at "local".
        else if (answer is { Status: 200, Receipt.Degraded: false } && ack.Contains("+applied", StringComparison.Ordinal) && !ack.StartsWith("async", StringComparison.Ordinal))
            _appliedWrites.Enqueue(operation);
    }

    private void NoteRead(Operation read, ReadLabel label)
    {
        // What "local" shows goes back when a deposed leader takes back what it had executed.
        if (label.Level != "local")
            _reads.Enqueue((read, label.Node));

        // A read that is linearizable is not stale at all; unknown is no bound.
        if (label.Level == "linearizable")
            _boundedReads.Enqueue((read, 0));
        else if (label.StalenessMilliseconds is { } bound)
            _boundedReads.Enqueue((read, (long)(bound * 1_000_000)));
    }

    public void Note(Exchange exchange, SqlCall call, TimeSpan took)
    {
        switch (exchange)
        {
            case Exchange.Answered { Status: 200 } answer:
                NoteSuccess(answer, call, took);
                break;
            case Exchange.Answered answer:
                Count($"{answer.Status} {answer.Code} {answer.Outcome}");
                if (answer.Status == 500)
                    _complaints.Enqueue($"{answer.ServedBy ?? "a node"} answered 500 {answer.Code}: {answer.Detail}");
                break;
            case Exchange.NoAnswer lost:
                Count(lost.Reason);
                break;
            case Exchange.NotSent notSent:
                Count(notSent.Reason);
                break;
            default:
                throw new InvalidOperationException($"{exchange} is no exchange that is known.");
        }
    }

    private void NoteSuccess(Exchange.Answered answer, SqlCall call, TimeSpan took)
    {
        for (var i = 0; i < call.Statements.Count; i++)
            if (call.Key is null && call.Statements[i].Sql.StartsWith("SELECT", StringComparison.Ordinal) && !answer.HasRows(i))
                _complaints.Enqueue("A request that was sent once was answered with 200 and without the rows of its SELECT, as if there were none.");
        if (call.Ack is { } ack && answer.Receipt is { } receipt)
        {
            if (receipt.Degraded)
                Interlocked.Increment(ref _degraded);
            if (ReceiptRules.Complaint(ack, receipt, nodes) is { } complaint)
                _complaints.Enqueue(complaint);
        }

        if (!call.Writes && call.Read is { } level && answer.Read is { } label && ReceiptRules.Complaint(level, call.MaxStaleness, label, took) is { } wrong)
            _complaints.Enqueue(wrong);
    }

    private void Count(string ending) => _endings.AddOrUpdate(ending, 1, static (_, count) => count + 1);
}
