using Polygraph.Protocol.Effects;
using Polygraph.Protocol.Messages;

namespace Polygraph.Protocol.LeaderBased;

/// <content>Who leads: pre-vote, vote, step-down.</content>
public sealed partial class GroupCore
{
    // A closed connection is acted upon within this time; random, so that two followers of a dead leader rarely stand against each other.
    private static readonly TimeSpan DisconnectedPatienceMax = TimeSpan.FromMilliseconds(30);

    // The connection with the leader closed, and it has not been heard since.
    private bool _leaderDisconnected;

    // Evidence, not only silence: a leader counts as heard for the shortest time after which anybody may start an election, unless its
    // connection has closed since.
    private bool HearsLeader(Instant now)
        => _role == Role.Leader || (!_leader.IsNone && !_leaderDisconnected && now < _leaderHeard + _options.ElectionTimeoutMin);

    /// <summary>
    /// A process that died closes its connections at once: there is no need to wait out its silence. If it lives after all, whoever still
    /// hears it refuses the pre-vote, and nothing has changed.
    /// </summary>
    private void OnDisconnected(NodeId peer, Instant now)
    {
        if (_role != Role.Follower || peer != _leader)
            return;
        _leaderDisconnected = true;
        _electionDeadline = Instant.Min(_electionDeadline, now + _random.Between(TimeSpan.Zero, DisconnectedPatienceMax));
    }

    private void StartPreVote(Instant now, EffectList effects)
    {
        if (!_leader.IsNone)
            effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.Suspect, CurrentTerm, _leader)));
        if (_relearning)
        {
            // Whoever lost acknowledged entries must not lead without them.
            _leader = NodeId.None;
            _electionDeadline = now + ElectionTimeout();
            return;
        }

        _role = Role.PreCandidate;
        _leader = NodeId.None;
        _granted.Clear();
        _granted.Add(_self);
        _electionDeadline = now + RetryTimeout();
        effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.PreVote, CurrentTerm.Next, _self)));
        foreach (var other in _others)
            effects.Add(new Effect.Send(other, new PreVoteRequest(CurrentTerm, CurrentTerm.Next, _lastLog)));
        if (_granted.Count >= _members.Majority)
            StartElection(now, effects);
    }

    private void OnPreVoteRequest(NodeId from, PreVoteRequest request, Instant now, EffectList effects)
    {
        var isUpToDate = request.LastLog >= _lastLog;
        Plant("ElectionIgnoresLogLength", ref isUpToDate, request.LastLog.Term >= _lastLog.Term);
        var mayVote = !_relearning;
        Plant("ElectionIgnoresLog", ref isUpToDate, true);
        Plant("VotesWithoutRelearning", ref mayVote, true);
        var granted = request.NextTerm > CurrentTerm && isUpToDate && !HearsLeader(now) && mayVote;
        effects.Add(new Effect.Send(from, new PreVoteReply(CurrentTerm, request.NextTerm, granted)));
    }

    private void OnPreVoteReply(NodeId from, PreVoteReply reply, Instant now, EffectList effects)
    {
        if (_role != Role.PreCandidate || !reply.Granted || reply.NextTerm != CurrentTerm.Next)
            return;
        _granted.Add(from);
        if (_granted.Count >= _members.Majority)
            StartElection(now, effects);
    }

    private void StartElection(Instant now, EffectList effects)
    {
        _role = Role.Candidate;
        _leader = NodeId.None;
        _vote = new Vote(CurrentTerm.Next, _self);
        BeginTerm();
        _matched = LogIndex.Zero;
        _granted.Clear();

        // A whole timeout: two disks and a round trip must fit, or slow disks would elect nobody for ever.
        _electionDeadline = now + ElectionTimeout();
        effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.Vote, CurrentTerm, _self)));

        // Invariant: nobody hears of this candidacy, and this node does not count its own vote, before the vote is durable.
        List<Outgoing> release = [new(_self, new VoteReply(CurrentTerm, true))];
        foreach (var other in _others)
            release.Add(new Outgoing(other, new VoteRequest(CurrentTerm, _lastLog)));
        effects.Add(new Effect.Persist(_vote, null, [], _lastLog, _mark, release));
    }

    private void OnVoteRequest(NodeId from, VoteRequest request, Instant now, EffectList effects)
    {
        var free = request.Term == CurrentTerm && (_vote.For.IsNone || _vote.For == from);
        var isUpToDate = request.LastLog >= _lastLog;
        var mayVote = !_relearning;
        Plant("TwoVotesInATerm", ref free, request.Term == CurrentTerm);
        Plant("ElectionIgnoresLogLength", ref isUpToDate, request.LastLog.Term >= _lastLog.Term);
        Plant("ElectionIgnoresLog", ref isUpToDate, true);
        Plant("VotesWithoutRelearning", ref mayVote, true);
        if (!free || !isUpToDate || !mayVote)
        {
            effects.Add(new Effect.Send(from, new VoteReply(CurrentTerm, false)));
            return;
        }

        // Invariant: one vote a term, durable before it is said, even across a crash between the two.
        _vote = new Vote(CurrentTerm, from);
        _role = Role.Follower;
        _electionDeadline = now + ElectionTimeout();
        effects.Add(new Effect.Persist(_vote, null, [], _lastLog, _mark, [new Outgoing(from, new VoteReply(CurrentTerm, true))]));
        PlantInstead("VoteNotPersisted", new Effect.Persist(null, null, [], _lastLog, _mark, [new Outgoing(from, new VoteReply(CurrentTerm, true))]), effects);
    }

    private void OnVoteReply(NodeId from, VoteReply reply, Instant now, EffectList effects)
    {
        var isOfThisElection = reply.Term == CurrentTerm;
        Plant("CountsVotesOfOlderTerms", ref isOfThisElection, true);
        if (_role != Role.Candidate || !isOfThisElection || !reply.Granted)
            return;
        _granted.Add(from);
        if (_granted.Count >= _members.Majority)
            BecomeLeader(now, effects);
    }

    private void BecomeLeader(Instant now, EffectList effects)
    {
        _role = Role.Leader;
        _leader = _self;
        _peers = [.. _others.Select(other => new PeerProgress(other, _lastLog.Index.Next, now))];
        _quorumLapsesAt = QuorumLapses();
        _round = 0;
        _roundConfirmed = 0;
        _noOp = _lastLog.Index.Next;
        _heartbeatDeadline = now;
        effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.Recover, CurrentTerm, _self)));

        // Nothing of an older term is counted as committed, no read is served, before an entry of this term is committed.
        effects.Add(new Effect.EncodeNoOp(new Position(CurrentTerm, _noOp)));
        ReadsFindNewLeader(now, effects);
    }

    /// <summary>Takes a newer term, or gives up leadership or candidacy in this one, or learns who leads it.</summary>
    private void BecomeFollower(Term term, NodeId leader, Instant now, EffectList effects, string reason)
    {
        Invariant.Holds(term >= CurrentTerm, "a term never goes back");
        var wasLeader = _role == Role.Leader;
        var newTerm = term > CurrentTerm;
        if (newTerm)
        {
            _vote = new Vote(term, NodeId.None);
            BeginTerm();
            _matched = LogIndex.Zero;
            Vote? stored = _vote;
            Plant("TermNotPersisted", ref stored, null);
            effects.Add(new Effect.Persist(stored, null, [], _lastLog, _mark, []));
        }

        if (_role != Role.Follower || newTerm)
            _electionDeadline = now + ElectionTimeout();
        _role = Role.Follower;
        _answerWhenApplied = null;
        if (wasLeader)
        {
            _leader = NodeId.None;
            effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.SteppedDown, CurrentTerm, _self, reason)));
            StopLeading(now, effects, reason);
        }

        FollowLeader(leader, now, effects);
    }

    private void BeginTerm()
    {
        _mark++;
        _termIsDurable = false;
    }

    private void FollowLeader(NodeId leader, Instant now, EffectList effects)
    {
        if (_leader == leader)
            return;
        _leader = leader;
        if (leader.IsNone)
            return;
        effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.FollowsLeader, CurrentTerm, leader)));
        ReadsFindNewLeader(now, effects);
    }

    /// <summary>A message that only the leader of this term can have sent.</summary>
    private void HearLeader(NodeId leader, Instant now, EffectList effects)
    {
        Invariant.Holds(_role != Role.Leader, "at most one leader a term");
        if (_role != Role.Follower)
            BecomeFollower(CurrentTerm, leader, now, effects, "another node leads this term");
        FollowLeader(leader, now, effects);
        _leaderHeard = now;
        _leaderDisconnected = false;
        _electionDeadline = now + ElectionTimeout();
    }

    // A pre-vote costs no disk and changes nothing, so it is asked again sooner than a silent leader is suspected.
    private TimeSpan RetryTimeout() => _random.Between(_options.ElectionTimeoutMin / 4, _options.ElectionTimeoutMin / 2);
}
