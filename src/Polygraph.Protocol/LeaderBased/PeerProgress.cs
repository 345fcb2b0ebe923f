using Polygraph.Protocol.Messages;

namespace Polygraph.Protocol.LeaderBased;

/// <summary>What a leader knows of one other voter, and what it has sent. Owned by the core.</summary>
internal sealed partial class PeerProgress(NodeId node, LogIndex next, Instant now)
{
    // Entries sent but not confirmed, as the last index of each request on its way.
    private readonly Queue<LogIndex> _inflight = new();

    // The follower's process, as its stamps name it; none before its first answer. And those that were taken for it before in this term, with the newest
    // round that had begun when another took their place.
    private ulong? _boot;
    private readonly Dictionary<ulong, ulong> _pastBoots = [];

    // As in GroupCore.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    public NodeId Node { get; } = node;

    /// <summary>The next entry to send. Ahead of <see cref="Durable"/> by what is on its way.</summary>
    public LogIndex Next { get; private set; } = next;

    /// <summary>The follower said that its log equals ours up to here and is fsynced.</summary>
    public LogIndex Durable { get; private set; }

    /// <summary>The follower said that its SQLite shows everything up to here.</summary>
    public LogIndex Applied { get; private set; }

    /// <summary>
    /// While probing, the place where the logs part is not known: one small request at a time. Afterwards requests are pipelined.
    /// </summary>
    public bool Probing { get; private set; } = true;

    /// <summary>When the follower was last heard in this term; the start of the term counts, so that a new leader has time to be answered.</summary>
    public Instant LastHeard { get; private set; } = now;

    /// <summary>Whether it was heard at all in this term.</summary>
    public bool Heard { get; private set; }

    /// <summary>The newest confirmation round that the follower answered.</summary>
    public ulong RoundConfirmed { get; private set; }

    /// <summary>When something was last sent that wants an answer, or an answer moved us on.</summary>
    public Instant LastMove { get; private set; } = now;

    /// <summary>A stamp of the follower's that may be echoed once <see cref="EchoRound"/> is confirmed.</summary>
    public FreshnessStamp? Stamp { get; private set; }

    /// <summary>The first round that begins after <see cref="Stamp"/> arrived.</summary>
    public ulong EchoRound { get; private set; }

    /// <summary>The commit index that the follower was last sent.</summary>
    public LogIndex CommitTold { get; set; }

    public int Inflight => _inflight.Count;

    /// <summary>The smaller of durable and applied: how far the follower holds <em>and</em> shows our history.</summary>
    public LogIndex DurableAndApplied => LogIndex.Min(Durable, Applied);

    /// <summary>Any answer in this term proves that the follower heard us when it made it.</summary>
    public void NoteAnswer(ulong round, Instant now)
    {
        Heard = true;
        LastHeard = now;
        RoundConfirmed = Math.Max(RoundConfirmed, round);
    }

    /// <summary>Keeps the oldest stamp not yet echoed; a newer one waits for the next answer.</summary>
    public void NoteStamp(FreshnessStamp stamp, ulong nextRound)
    {
        if (Stamp is { } waiting && waiting.Boot == stamp.Boot)
            return;
        Stamp = stamp;
        EchoRound = nextRound;
    }

    /// <summary>
    /// Whether a message is of the follower's present process. A new process begins anew: what was on its way to the one before is lost, it
    /// does not know how far its log is ours, and it may hold less than the one before (its disk was damaged and replaced), so nothing that
    /// was said before it counts, and what comes late from the one before is not heard.
    /// </summary>
    /// <remarks>
    /// Boots have no order: what comes late from a process of which nothing was heard before looks like a new process, and the present one like a past one. But a
    /// process that answers a round which began after it was taken for gone is not gone.
    /// </remarks>
    /// <param name="boot">The process that the message is of.</param>
    /// <param name="round">The round that the message answers; 0 for none.</param>
    /// <param name="roundNow">The newest round that has begun.</param>
    /// <param name="now">The time.</param>
    public bool Recognises(ulong boot, ulong round, ulong roundNow, Instant now)
    {
        var isKnown = boot == _boot;
        Plant("CountsAcksOfEarlierProcesses", ref isKnown, true);
        if (isKnown)
            return true;
        if (_pastBoots.TryGetValue(boot, out var goneAt) && round <= goneAt)
            return false;
        _pastBoots.Remove(boot);
        if (_boot is { } past)
        {
            _pastBoots[past] = roundNow;
            var next = Durable.Next;
            (Durable, Applied, Stamp) = (LogIndex.Zero, LogIndex.Zero, null);
            Probe(next, now);
        }

        _boot = boot;
        return true;
    }

    /// <summary>Takes the stamp out, to be echoed.</summary>
    public FreshnessStamp? TakeStamp(ulong roundConfirmed)
    {
        if (Stamp is null || roundConfirmed < EchoRound)
            return null;
        var stamp = Stamp;
        Stamp = null;
        return stamp;
    }

    public void NoteApplied(LogIndex applied) => Applied = LogIndex.Max(Applied, applied);

    /// <summary>The follower's log equals ours up to <paramref name="durable"/>. Returns whether that is news.</summary>
    public bool NoteDurable(LogIndex durable, Instant now)
    {
        while (_inflight.Count > 0 && _inflight.Peek() <= durable)
            _inflight.Dequeue();
        if (durable <= Durable)
            return false;
        Durable = durable;
        Next = LogIndex.Max(Next, durable.Next);
        LastMove = now;
        return true;
    }

    /// <summary>The follower accepted a request: the logs agree up to there, so the rest can be pipelined.</summary>
    public void BeginPipelining(LogIndex agreed)
    {
        if (!Probing)
            return;
        Probing = false;
        _inflight.Clear();
        Next = LogIndex.Max(Durable, agreed).Next;
    }

    public void NoteSent(LogIndex last, Instant now)
    {
        if (_inflight.Count == 0)
            LastMove = now;
        _inflight.Enqueue(last);
        if (!Probing)
            Next = last.Next;
    }

    /// <summary>Goes back to one request at a time from <paramref name="next"/>, never before what the follower is known to hold.</summary>
    public void Probe(LogIndex next, Instant now)
    {
        Probing = true;
        _inflight.Clear();
        Next = LogIndex.Max(next, Durable.Next);
        LastMove = now;
    }
}
