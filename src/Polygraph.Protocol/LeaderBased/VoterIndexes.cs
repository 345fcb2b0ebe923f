namespace Polygraph.Protocol.LeaderBased;

/// <summary>
/// How far each voter holds and shows the log, as the leader knows it: the one place that turns those indexes into ack levels, for the
/// wait and for the receipt alike.
/// </summary>
internal sealed partial class VoterIndexes(NodeId self, int voters)
{
    private PeerProgress[] _peers = [];
    private LogIndex _selfApplied;

    // As in GroupCore.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    /// <summary>What is fsynced in the leader's own log.</summary>
    public LogIndex Self { get; private set; }

    /// <summary>What is committed.</summary>
    public LogIndex Committed { get; private set; }

    private int Majority => (voters / 2) + 1;

    public void Update(PeerProgress[] peers, LogIndex selfDurable, LogIndex selfApplied, LogIndex committed)
    {
        Plant("CountsOwnUnsyncedLog", ref selfDurable, selfApplied);
        _peers = peers;
        _selfApplied = selfApplied;
        Self = selfDurable;
        Committed = committed;
    }

    /// <summary>The index up to which a majority, the leader included if it is that far, has fsynced the log.</summary>
    public LogIndex MajorityDurable()
    {
        var needed = Majority;
        Plant("MajorityIsHalf", ref needed, voters / 2);
        return Nth(needed, Self, applied: false);
    }

    /// <summary>The index up to which a level is met.</summary>
    public LogIndex Met(AckLevel level, int copies, bool applied)
    {
        var own = applied ? LogIndex.Min(Self, _selfApplied) : Self;
        return level switch
        {
            AckLevel.Async => own,
            AckLevel.SemiSync => SemiSync(copies, own, applied),
            AckLevel.Quorum => applied ? LogIndex.Min(Committed, Nth(Majority, own, applied)) : Committed,
            AckLevel.All => LogIndex.Min(Committed, Nth(voters, own, applied)),
            _ => LogIndex.Zero,
        };
    }

    /// <summary>The strongest level that holds for an entry now.</summary>
    public AckLevel Achieved(LogIndex index)
    {
        if (Committed >= index)
            return Nth(voters, Self, applied: false) >= index ? AckLevel.All : AckLevel.Quorum;
        if (Self < index)
            return AckLevel.None;
        return NthFollower(1, applied: false) >= index ? AckLevel.SemiSync : AckLevel.Async;
    }

    /// <summary>The voters known to have fsynced an entry, in order of name.</summary>
    public IReadOnlyList<NodeId> AckedBy(LogIndex index)
    {
        var names = new List<NodeId>(voters);
        if (Self >= index)
            names.Add(self);
        foreach (var peer in _peers)
        {
            var isHeld = peer.Durable >= index;
            Plant("ReceiptCountsWhatWasSent", ref isHeld, peer.Next > index);
            if (isHeld)
                names.Add(peer.Node);
        }

        names.Sort();
        return names;
    }

    /// <summary>The voters that do not hold (or, if asked for, do not show) an entry.</summary>
    public IReadOnlyList<NodeId> Missing(LogIndex index, AckPolicy policy)
    {
        var names = new List<NodeId>(voters);
        if ((policy.Applied ? LogIndex.Min(Self, _selfApplied) : Self) < index)
            names.Add(self);
        foreach (var peer in _peers)
            if ((policy.Applied ? peer.DurableAndApplied : peer.Durable) < index)
                names.Add(peer.Node);
        names.Sort();
        return names;
    }

    // The index that at least n voters have reached.
    private LogIndex Nth(int n, LogIndex own, bool applied)
    {
        Span<LogIndex> reached = stackalloc LogIndex[_peers.Length + 1];
        for (var i = 0; i < _peers.Length; i++)
        {
            reached[i] = applied ? _peers[i].DurableAndApplied : _peers[i].Durable;
            Plant("CountsWhatWasSent", ref reached[i], _peers[i].Next.Previous);
        }

        reached[^1] = own;
        return Largest(reached, n);
    }

    private LogIndex SemiSync(int copies, LogIndex own, bool applied)
    {
        var followers = NthFollower(copies, applied);
        Plant("SemiSyncCountsOnlyTheLeader", ref followers, own);
        return LogIndex.Min(own, followers);
    }

    private LogIndex NthFollower(int n, bool applied)
    {
        Span<LogIndex> reached = stackalloc LogIndex[_peers.Length];
        for (var i = 0; i < _peers.Length; i++)
            reached[i] = applied ? _peers[i].DurableAndApplied : _peers[i].Durable;
        return Largest(reached, n);
    }

    private static LogIndex Largest(Span<LogIndex> indexes, int n)
        => n < 1 || n > indexes.Length ? LogIndex.Zero : Ranking.NthLargest(indexes, n);
}
