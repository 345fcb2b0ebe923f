using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Protocol.Messages;
using Polygraph.Storage.Log;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Groups;

/// <summary>
/// The one thread that owns a group's protocol core. It takes inputs in order, steps the core, and carries out what the core wants before the
/// next step: sends go out at once, disks and SQLite are other threads' work, so nothing here waits for a disk and heartbeats are never late
/// because of one.
/// </summary>
internal sealed class GroupLoop
{
    /// <summary>Inputs that may wait. Messages beyond it are dropped as a network would; the protocol sends them again.</summary>
    private const int InputsMax = 65_536;

    /// <summary>The longest sleep: a clock that jumped or a lost wake-up costs no more than this.</summary>
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(1);

    private readonly GroupId _group;
    private readonly NodeId _self;
    private readonly GroupCore _core;
    private readonly ReplicationLog _log;
    private readonly LogThread _disk;
    private readonly IPeerSender _peers;
    private readonly IGroupOutcomes _outcomes;
    private readonly NodeClock _clock;
    private readonly Mailbox<Input> _inputs = new(InputsMax);
    private readonly EffectList _effects = new();
    private readonly CatchUp _catchUp;

    // Owner: this thread; set before it starts. None while SQLite is damaged: the log goes on, and nothing is executed or applied.
    private WriterThread? _writer;
    private GroupView _view;

    public GroupLoop(
        GroupId group, NodeId self, GroupCore core, ReplicationLog log, LogThread disk, IPeerSender peers, IGroupOutcomes outcomes, NodeClock clock)
    {
        _group = group;
        _self = self;
        _core = core;
        _log = log;
        _disk = disk;
        _peers = peers;
        _outcomes = outcomes;
        _clock = clock;
        _view = core.View;
        _catchUp = new CatchUp(group.ToString(), SendEntries, outcomes.Failed);
    }

    /// <summary>The replica after the last step. Any thread.</summary>
    public GroupView View => Volatile.Read(ref _view);

    public void Attach(WriterThread writer) => _writer = writer;

    /// <summary>A message from a peer, or a client's question; false if too much waits.</summary>
    public bool TryPost(Input input) => _inputs.TryPost(input);

    /// <summary>An answer to an effect: never refused.</summary>
    public void Post(Input input) => _inputs.Post(input);

    public void Close() => _inputs.Close();

    /// <summary>After the loop's thread has ended: nobody reads the log for it any more.</summary>
    public void CloseCatchUp() => _catchUp.Close();

    /// <summary>Runs until the mailbox is closed. An exception means that this replica must stop.</summary>
    public void Run()
    {
        var inputs = new List<Input>();
        while (_inputs.Take(ref inputs, Patience()))
        {
            foreach (var input in inputs)
                Step(input);
            if (inputs.Count == 0 || _clock.Now >= _core.NextDeadline)
                Step(Input.Tick.Instance);
            inputs.Clear();
            Publish();
        }
    }

    private TimeSpan Patience()
    {
        var left = _core.NextDeadline == Instant.Never ? PatienceMax : _core.NextDeadline - _clock.Now;

        // Waits are whole milliseconds; rounding up keeps a wait from ending just before its deadline, again and again.
        return left > PatienceMax ? PatienceMax : TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, left.TotalMilliseconds)));
    }

    private void Step(Input input)
    {
        _core.Step(input, _clock.Now, _effects);

        // Carrying out an effect may ask for one more step at once (the no-op); its effects come after those that are there.
        for (var i = 0; i < _effects.Items.Count; i++)
            CarryOut(_effects.Items[i]);
        _effects.Clear();
    }

    private void CarryOut(Effect effect)
    {
        switch (effect)
        {
            case Effect.Send { Message: PreVoteRequest } when _writer is null: break; // Whoever has no SQLite cannot serve: it does not stand for election.
            case Effect.Send send: _peers.Send(send.To, new PeerFrame.Group(_group, send.Message)); break;
            case Effect.Ship ship: Ship(ship); break;
            case Effect.Persist persist: Persist(persist); break;
            case Effect.EncodeNoOp noOp: EncodeNoOp(noOp.Position); break;
            case Effect.Apply apply: _writer?.Order(new WriterOrder.Apply(apply.Generation, apply.Through)); break;
            case Effect.Lead lead: _writer?.Order(new WriterOrder.Lead(lead.Generation, lead.Term, lead.Next)); break;
            case Effect.StopLead stop: _writer?.Order(new WriterOrder.StopLead(stop.Generation)); break;
            case Effect.Rewind rewind: _writer?.Order(new WriterOrder.Rewind(rewind.Generation)); break;
            case Effect.NeedSnapshot need: _outcomes.SnapshotNeeded(need.Base); break;
            case Effect.Relearned: _outcomes.Relearned(); break;
            case Effect.CompleteWrite done: _outcomes.WriteDone(done.Write, done.Result); break;
            case Effect.CompleteRead done: _outcomes.ReadDone(done.Read, done.Result); break;
            case Effect.CompleteHold done: _outcomes.HoldDone(done.Hold, done.Committed); break;
            case Effect.Announce announce: _outcomes.Announced(announce.Event); break;
            default: throw new InvariantViolationException($"No handler for effect {effect.GetType().Name}.");
        }
    }

    private void EncodeNoOp(Position position)
        => _core.Step(
            new Input.NoOpEncoded(NodeEntries.EncodeNoOp(position, HybridTimeOf(position), _clock.WallMicroseconds)), _clock.Now, _effects);

    // A no-op takes part in the order of hybrid times only through the entry before it; the writer goes on from there.
    private ulong HybridTimeOf(Position position)
    {
        var physical = (ulong)(_clock.WallMicroseconds / 1000) << 16;
        var before = position.Index == new LogIndex(1) ? [] : _log.Read(position.Index.Previous, position.Index.Previous, int.MaxValue);
        return before.Count == 0 ? physical : Math.Max(physical, NodeEntries.HybridTimeOf(before[0]) + 1);
    }

    private void Ship(Effect.Ship ship)
    {
        if (ship.First >= _log.Tail.FirstInMemory && !_catchUp.IsBusyWith(ship.To))
            SendEntries(ship);
        else
            _catchUp.Enqueue(ship);
    }

    private void SendEntries(Effect.Ship ship)
    {
        var entries = _log.Read(ship.First, ship.Last, int.MaxValue);
        if (entries.Count == (int)(ship.Last - ship.First) + 1)
            _peers.Send(ship.To, new PeerFrame.Group(_group, ship.Request with { Entries = entries }));
    }

    private void Persist(Effect.Persist persist)
    {
        if (persist.CutFrom is { } from)
            _log.Tail.CutFrom(from);
        if (persist.Entries.Count > 0)
            _log.Tail.Append(persist.Entries);
        _disk.Post(new PersistJob
        {
            Vote = persist.Vote is { } vote ? new DurableVote(vote.Term, vote.For) : null,
            CutFrom = persist.CutFrom,
            CutReason = persist.CutFrom is null ? "" : $"{_self} rejoined {_core.View.Term}, whose history does not hold these entries",
            Entries = persist.Entries,
            Persisted = () => Persisted(persist),
        });
    }

    // On the log thread, after the fsync: the answers that waited for it go out from here.
    private void Persisted(Effect.Persist persist)
    {
        foreach (var (to, message) in persist.Release)
        {
            if (to == _self)
                _inputs.Post(new Input.Received(_self, message));
            else
                _peers.Send(to, new PeerFrame.Group(_group, message));
        }

        _inputs.Post(new Input.Persisted(persist.LastDurable, persist.Mark));
    }

    private void Publish()
    {
        var view = _core.View;
        var before = _view;
        Volatile.Write(ref _view, view);
        if (view.Committed != before.Committed || view.Durable != before.Durable)
            _writer?.NoteProgress();
        _outcomes.Published(before, view);
    }
}

/// <summary>Where a group's results go. Called on the group's threads; must not block.</summary>
internal interface IGroupOutcomes
{
    void WriteDone(ulong write, WriteResult result);

    void ReadDone(ulong read, ReadResult result);

    void HoldDone(ulong hold, bool? committed);

    void Announced(GroupEvent announced);

    /// <summary>Only a snapshot at or after <paramref name="position"/> helps this replica on. Said again and again while that is so.</summary>
    void SnapshotNeeded(Position position);

    /// <summary>The replica holds again all that it may have acknowledged.</summary>
    void Relearned();

    void Published(GroupView before, GroupView after);

    /// <summary>The replica must stop: its disk or its state cannot be trusted any more.</summary>
    void Failed(Exception failure);
}
