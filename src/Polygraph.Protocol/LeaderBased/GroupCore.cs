using Polygraph.Protocol.Effects;
using Polygraph.Protocol.Messages;

namespace Polygraph.Protocol.LeaderBased;

/// <summary>
/// One replica of a leader-based group, as a pure state machine: <see cref="Step"/> takes one input, changes memory only, and says what the
/// outside must do. It never awaits, locks, logs, reads a clock or draws a random number, so that the shipped code and the simulated code
/// are the same code. Derived from Raft (Ongaro and Ousterhout 2014; pre-vote, check-quorum, leader stickiness and read-index from Ongaro's
/// dissertation). What Raft does not have: the ack level of a write is a policy of the write, and the leader executes a transaction before
/// it is committed, so the core also says when the state behind it must be rewound.
/// </summary>
public sealed partial class GroupCore
{
    private static readonly TimeSpan NewGroupPatience = TimeSpan.FromMilliseconds(150);

    private readonly GroupMembers _members;
    private readonly GroupOptions _options;
    private readonly ILogSizes _sizes;
    private readonly SeededRandom _random;
    private readonly ulong _boot;
    private readonly NodeId _self;
    private readonly NodeId[] _others;

    // Election state.
    private Role _role = Role.Follower;
    private Vote _vote;
    private NodeId _leader;
    private Instant _leaderHeard;
    private Instant _electionDeadline;
    private readonly SortedSet<NodeId> _granted = [];

    // The log, as this node's memory has it; _durable is what an fsync has confirmed.
    private Position _lastLog;
    private TermHistory _terms;
    private LogIndex _durable;

    // Grows whenever this log is cut, and with every newer term: tells an fsync that was asked for before from one asked for since.
    private ulong _mark;

    // Whether the disk knows the term: an acknowledgement is a promise to this term's leader, and whoever forgot the term in a crash could take
    // entries of an older leader in the place of what it acknowledged.
    private bool _termIsDurable = true;
    private LogIndex _commit;

    // Follower: everything up to here is known to be the same as the log of the leader of this term.
    private LogIndex _matched;

    /// <summary>A replica as it starts. It votes for nobody and serves nothing before it has heard from others.</summary>
    /// <param name="members">The group.</param>
    /// <param name="options">Timing and limits.</param>
    /// <param name="state">What was found on the disk.</param>
    /// <param name="sizes">The log's memory of how large its entries are.</param>
    /// <param name="seed">Where the election timeouts come from; differs between nodes.</param>
    /// <param name="boot">Differs at every start of the process.</param>
    /// <param name="now">The node's clock.</param>
    public GroupCore(
        GroupMembers members, GroupOptions options, RecoveredState state, ILogSizes sizes, ulong seed, ulong boot, Instant now)
    {
        _members = members;
        _options = options;
        _sizes = sizes;
        _random = new SeededRandom(seed);
        _boot = boot;
        _batch = boot; // An answer to a question of this process's earlier life matches none of this one.
        _self = members.Self;
        _others = [.. members.Voters.Where(voter => voter != members.Self).Order()];
        Invariant.Holds(members.Voters.Contains(members.Self), "a replica is a member of its group");

        _vote = state.Vote.Term >= state.LastLog.Term ? state.Vote : new Vote(state.LastLog.Term, NodeId.None);
        _lastLog = state.LastLog;
        _terms = state.Terms;
        _durable = state.LastLog.Index;
        _commit = LogIndex.Max(state.Materialised.Index, state.Settled.Index);
        _applied = state.Materialised;
        _applyIssued = state.Materialised.Index;
        _base = state.Base;
        _indexes = new VoterIndexes(_self, members.Voters.Count);
        Invariant.Holds(_terms.TermAt(_lastLog.Index) == _lastLog.Term, "the term history reaches the end of the log");
        Invariant.Holds(_commit <= _lastLog.Index && Holds(state.Settled), "SQLite is never ahead of the durable log");
        Invariant.Holds(Holds(_base) && _base.Index <= _commit, "what the log no longer holds is in SQLite");
        if (state.MustRelearn)
            BeginRelearning(now);
        BeginRecovery(now);

        // Invariant: a group that never had a leader has none to wait for; pre-votes keep the impatience harmless.
        var unborn = _vote.Term == Term.Zero && _lastLog == Position.Zero;
        _electionDeadline = now + (unborn ? _random.Between(TimeSpan.Zero, NewGroupPatience) : ElectionTimeout());
    }

    /// <summary>When the next <see cref="Input.Tick"/> is due, if nothing else happens before.</summary>
    public Instant NextDeadline
        => Instant.Min(
            _role == Role.Leader ? Instant.Min(_heartbeatDeadline, _quorumLapsesAt) : _electionDeadline, Instant.Min(_sweepDeadline, _recoveryDeadline));

    /// <summary>The replica as it is now.</summary>
    public GroupView View => ViewWith(_role == Role.Leader ? PeerViews() : []);

    /// <summary>The same, without what a leader knows of the others: for whoever looks after every step and does not ask for that.</summary>
    public GroupView ViewWithoutPeers => ViewWith([]);

    /// <summary>
    /// The same once more: <paramref name="last"/> itself, one that was without peers, if it is still true, which it is after half of all steps.
    /// </summary>
    public GroupView ViewWithoutPeersSince(GroupView last) => IsStillTrue(last) ? last : ViewWithoutPeers;

    private Term CurrentTerm => _vote.Term;

    private bool IsServing => _writer == WriterState.Leading && _role == Role.Leader;

    private GroupView ViewWith(IReadOnlyList<PeerView> peers) => new()
    {
        Role = _role,
        Term = CurrentTerm,
        Leader = _leader,
        Appended = _lastLog,
        Durable = _durable,
        Committed = _commit,
        Applied = _applied,
        Terms = _terms,
        FreshAsOf = _freshAsOf,
        Serving = IsServing,
        Base = _base,
        Retain = Retain,
        Relearning = _relearning,
        Recovering = _recovering,
        Peers = peers,
    };

    private bool IsStillTrue(GroupView view)
        => view.Role == _role && view.Term == CurrentTerm && view.Leader == _leader && view.Appended == _lastLog && view.Durable == _durable
            && view.Committed == _commit && view.Applied == _applied && ReferenceEquals(view.Terms, _terms) && view.FreshAsOf == _freshAsOf
            && view.Serving == IsServing && view.Base == _base && view.Retain == Retain && view.Relearning == _relearning
            && view.Recovering == _recovering;

    // A mistake to be made on purpose, to see it found; nothing at all in a build without planted bugs (docs/planted-bugs.md).
    static partial void Plant<T>(string bug, ref T value, T wrong);

    static partial void PlantBefore(string bug, Effect early, EffectList effects);

    static partial void PlantInstead(string bug, Effect wrong, EffectList effects);

    /// <summary>Takes one input. The effects are appended to <paramref name="effects"/>, to be carried out before the next step.</summary>
    public void Step(Input input, Instant now, EffectList effects)
    {
        // A process that was paused, or a leader nobody hears, must not act as leader on what it finds in its queue.
        if (_role == Role.Leader && now >= _quorumLapsesAt)
            BecomeFollower(CurrentTerm, NodeId.None, now, effects, "no majority was heard within the election timeout");

        switch (input)
        {
            case Input.Tick: break;
            case Input.Received received: Receive(received.From, received.Message, now, effects); break;
            case Input.Disconnected disconnected: OnDisconnected(disconnected.Peer, now); break;
            case Input.Persisted persisted: OnPersisted(persisted, now, effects); break;
            case Input.NoOpEncoded noOp: OnNoOpEncoded(noOp.Entry, now, effects); break;
            case Input.Proposed proposed: OnProposed(proposed, now, effects); break;
            case Input.AwaitAck await: OnAwaitAck(await.Write, now, effects); break;
            case Input.LeadStopped stopped: OnLeadStopped(stopped, now, effects); break;
            case Input.Applied applied: OnApplied(applied, now, effects); break;
            case Input.Rewound rewound: OnRewound(rewound, now, effects); break;
            case Input.Trimmed trimmed: OnTrimmed(trimmed.Base); break;
            case Input.ReadIndex read: OnReadIndex(read, now, effects); break;
            case Input.HoldUntilCommitted hold: OnHold(hold, now, effects); break;
            default: throw new InvariantViolationException($"No handler for input {input.GetType().Name}.");
        }

        OnTime(now, effects);
    }

    private void OnTime(Instant now, EffectList effects)
    {
        if (_role == Role.Leader)
        {
            if (now >= _heartbeatDeadline)
                BroadcastHeartbeat(now, effects);
        }
        else if (now >= _electionDeadline)
        {
            StartPreVote(now, effects);
        }

        if (now >= _sweepDeadline)
            Sweep(now, effects);
        if (_recovering)
            Recover(now, effects);
    }

    private void Receive(NodeId from, PeerMessage message, Instant now, EffectList effects)
    {
        if (message.Term > CurrentTerm && message is not PreVoteRequest)
        {
            // Leader stickiness: whoever still hears a leader does not help to depose it. (A pre-vote never changes a term.)
            if (message is VoteRequest && HearsLeader(now))
                return;
            var leader = message is AppendRequest or Heartbeat or SnapshotNeeded ? from : NodeId.None;
            BecomeFollower(message.Term, leader, now, effects, $"{from} is in {message.Term}");
        }

        switch (message)
        {
            case PreVoteRequest request: OnPreVoteRequest(from, request, now, effects); break;
            case PreVoteReply reply: OnPreVoteReply(from, reply, now, effects); break;
            case VoteRequest request: OnVoteRequest(from, request, now, effects); break;
            case VoteReply reply: OnVoteReply(from, reply, now, effects); break;
            case AppendRequest request: OnAppendRequest(from, request, now, effects); break;
            case AppendAccepted accepted: OnAppendAccepted(from, accepted, now, effects); break;
            case AppendRejected rejected: OnAppendRejected(from, rejected, now, effects); break;
            case Heartbeat heartbeat: OnHeartbeat(from, heartbeat, now, effects); break;
            case HeartbeatReply reply: OnHeartbeatReply(from, reply, now, effects); break;
            case ReadIndexRequest request: OnReadIndexRequest(from, request, now, effects); break;
            case ReadIndexReply reply: OnReadIndexReply(from, reply, now, effects); break;
            case SnapshotNeeded needed: OnSnapshotNeeded(from, needed, now, effects); break;
            default: throw new InvariantViolationException($"No handler for message {message.GetType().Name}.");
        }
    }

    private TimeSpan ElectionTimeout() => _random.Between(_options.ElectionTimeoutMin, _options.ElectionTimeoutMax);

    private bool Holds(Position position)
        => position.Index <= _lastLog.Index && _terms.TermAt(position.Index) == position.Term;
}
