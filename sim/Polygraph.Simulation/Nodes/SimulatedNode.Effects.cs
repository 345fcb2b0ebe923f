using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.Messages;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Planted;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Nodes;

/// <content>How a node carries out what its core wants done.</content>
public sealed partial class SimulatedNode
{
    /// <summary>How soon a copy is asked for again that cannot be made yet, in microseconds.</summary>
    private const long CopyPoll = 2_000;

    /// <summary>
    /// What a step appends is readable from its persist effect on, so it is put into the log before the view is checked; that no earlier
    /// effect of the step needs it is checked here.
    /// </summary>
    private void AppendToLog(IReadOnlyList<Effect> effects)
    {
        var shipped = LogIndex.Zero;
        for (var i = 0; i < effects.Count; i++)
        {
            var effect = effects[i];
            if (effect is Effect.Ship ship)
                shipped = LogIndex.Max(shipped, ship.Last);
            if (effect is not Effect.Persist persist)
                continue;
            LogChecks.Require(
                persist.Entries.Count == 0 || persist.Entries[0].Position.Index > shipped,
                Check.EffectOrder, $"{Id} ships {shipped} before {persist.Entries.FirstOrDefault()?.Position} is appended");
            Persist(persist);
        }
    }

    private void CarryOut(Effect effect)
    {
        switch (effect)
        {
            case Effect.Send send:
                Send(send.To, send.Message);
                break;
            case Effect.Ship ship when Log.Range(ship.First, ship.Last) is { } entries:
                Send(ship.To, ship.Request with { Entries = entries });
                break;
            case Effect.EncodeNoOp encode:
                _urgent = new Input.NoOpEncoded(new LogEntry(encode.Position, Model.ModelRecord.NoOp.Encode(0)));
                break;
            case Effect.Apply or Effect.Lead or Effect.StopLead or Effect.Rewind:
                Writer.Command(effect);
                break;
            case Effect.Announce announce:
                _cluster.Announced?.Invoke(this, announce.Event);
                break;
            case Effect.NeedSnapshot need:
                Fetch(_cluster.Node(need.Leader));
                break;
            case Effect.Relearned:
                Disk.Relearned();
                break;
            case Effect.CompleteWrite complete:
                FrontDoor.Complete(complete);
                break;
            case Effect.CompleteRead complete:
                FrontDoor.Complete(complete);
                break;
            case Effect.CompleteHold complete:
                FrontDoor.Complete(complete);
                break;
            case Effect.Persist or Effect.Ship:
                break; // Is in the log already; is no longer in the log, and the core tries again.
            default:
                throw new InvariantViolationException($"No handler for effect {effect.GetType().Name}.");
        }
    }

    /// <summary>
    /// Takes the leader's last checkpoint; what comes after it comes from its log. Once it is here the replica is closed, log and SQLite are
    /// replaced, and it is opened anew.
    /// </summary>
    private void Fetch(SimulatedNode source)
    {
        if (_fetching || !source.IsAlive)
            return;
        if (Engine is not null)
        {
            FetchCopy(source);
            return;
        }

        _fetching = true;
        var (snapshot, terms) = (source.Disk.Checkpoint.Copy(), source.View.Terms);
        if (_cluster.Tampering.Has(PlantedBug.InstallsWrongSnapshot))
            snapshot = KeyValueState.Claiming(snapshot.Position);
        After(_dice.LongTailed(_cluster.Delays.Transfer.Min, _cluster.Delays.Transfer.Max), () => Install(snapshot, () => Disk.Install(snapshot, terms)));
    }

    // A leader's SQLite shows what may yet vanish: a copy is made once all of it is committed.
    private void FetchCopy(SimulatedNode source)
    {
        _fetching = true;
        if (source.Writer.IsRebuilding || !_cluster.LogChecks.History.Holds(source.Writer.State.Position))
        {
            After(CopyPoll, () =>
            {
                _fetching = false;
                Fetch(source);
            });
            return;
        }

        var copy = source.Engine!.Copy(source.View.Terms);
        After(_dice.LongTailed(_cluster.Delays.Transfer.Min, _cluster.Delays.Transfer.Max), () => Install(copy.State, () => Disk.Install(copy)));
    }

    private void Install(KeyValueState snapshot, Action replace)
    {
        _fetching = false;
        if (snapshot.Position.Index <= View.Committed)
            return;
        _cluster.Trace.Note(this, $"is replaced by a snapshot at {snapshot.Position}");
        Crash(CrashKind.KeepsAll);
        replace();
        _shownBySnapshot = LogIndex.Max(_shownBySnapshot, snapshot.Position.Index);
        Snapshots++;
        _cluster.Start(this);
    }

    private void Send(NodeId to, PeerMessage message)
    {
        if (IsStranger)
            return;
        _cluster.LogChecks.Saying(this, to, message);
        var target = _cluster.Node(to);
        if (_cluster.Tampering.Has(PlantedBug.CorruptsShippedEntry) && message is AppendRequest { Entries.Count: > 0 } request)
            message = request with { Entries = [.. request.Entries.Select(Corrupted)] };
        _cluster.Network.Carry(Number, target.Number, new Delivery(target, new Input.Received(Id, message)));
    }

    private static LogEntry Corrupted(LogEntry entry)
    {
        var record = entry.Record.ToArray();
        record[4] ^= 1;
        return entry with { Record = record };
    }

    private void Persist(Effect.Persist persist)
    {
        var writes = new List<DiskWrite>(persist.Entries.Count + 1);
        if (persist.CutFrom is { } from && !_cluster.Tampering.Has(PlantedBug.IgnoresCut))
        {
            var cut = Log.CutFrom(from);
            _cluster.LogChecks.Cutting(this, cut);
            if (!_cluster.Tampering.Has(PlantedBug.CutsWithoutSaving))
                writes.Add(new DiskWrite.SaveCut(cut));
            writes.Add(new DiskWrite.Cut(from));
        }

        for (var i = 0; i < persist.Entries.Count; i++)
        {
            var entry = persist.Entries[i];
            _cluster.LogChecks.Appending(this, entry);
            Log.Append(entry);
            writes.Add(new DiskWrite.Append(entry));
        }

        if (persist.Vote is { } vote)
            writes.Add(new DiskWrite.StoreVote(vote));
        if (_cluster.Tampering.Has(PlantedBug.ReleasesBeforeSync))
            Release(persist.Release);
        Disk.Submit(writes, new PersistDone(this, persist));
    }

    // As the product's log thread: what waited for the sync goes out from there, before anything else is done to the log; the group loop hears of it later.
    private void Synced(Effect.Persist persist)
    {
        if (!_cluster.Tampering.Has(PlantedBug.ReleasesBeforeSync))
            Release(persist.Release);
        _fromLog.Post(new Input.Persisted(persist.LastDurable, persist.Mark));
    }

    private void Release(IReadOnlyList<Outgoing> released)
    {
        for (var i = 0; i < released.Count; i++)
        {
            var outgoing = released[i];
            if (outgoing.To == Id)
            {
                if (!IsStranger)
                    _cluster.LogChecks.Saying(this, Id, outgoing.Message);
                _fromLog.Post(new Input.Received(Id, outgoing.Message));
            }
            else
            {
                Send(outgoing.To, outgoing.Message);
            }
        }
    }

    private sealed class PersistDone(SimulatedNode node, Effect.Persist persist) : Happening
    {
        public override void Happen() => node.Synced(persist);
    }
}
