using Polygraph.CrashTest.Io;
using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Engine;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Nodes;
using Polygraph.Storage;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Log;
using Polygraph.Storage.Snapshots;

namespace Polygraph.RealEngine;

/// <summary>The storage engine of one node, opened and driven as a node does it, in the simulation's one thread.</summary>
internal sealed class EngineNode : INodeEngine
{
    /// <summary>A usual batch of the log thread makes so many operations: a crash comes before one of them, or after all.</summary>
    private const int OperationsOfABatch = 4;

    /// <summary>Before one of so many entries is applied, a row that it writes is changed behind the engine's back.</summary>
    private const int EntriesBetweenSpoils = 40;

    private static readonly GroupId Group = new(3);

    /// <summary>So small that a history passes the ends of many segments.</summary>
    private static readonly ReplicationLogOptions LogOptions = new() { SegmentBytesMax = 1024, FillAheadBytes = 512, TailBytesMax = 0 };

    private static readonly ReplicaDatabaseOptions DatabaseOptions = ReplicaDatabaseOptions.Default with { MaxReaders = 1 };

    private readonly NodeId _node;
    private readonly ReplicaHome _home;
    private readonly TappedFileSystem _files;
    private readonly EngineDisk _disk;
    private ReplicationLog _log = null!;
    private VoteStore _votes = null!;
    private PersistBatch _persist = null!;
    private ReplicaDatabase _database = null!;
    private readonly string _copyPath;
    private readonly Random _random;
    private int _copies;

    public EngineNode(NodeId node, string home, EngineTap tap, int seed)
    {
        _node = node;
        _home = new ReplicaHome(home);
        _files = new TappedFileSystem(tap);
        _disk = new EngineDisk(home, seed);
        _random = new Random(seed + 1);
        tap.Add(node.Value, _disk);
        Directory.CreateDirectory(_home.Log);
        Directory.CreateDirectory(Path.Combine(_home.Log, CutFile.DirectoryName));
        _copyPath = Path.Combine(Path.GetDirectoryName(home)!, $"{node}-copy.sqlite");
        SimulatedTable.Create(_home.Database);
        _disk.Watch();
        Open();
    }

    public void Persist(IReadOnlyList<IReadOnlyList<DiskWrite>> jobs, Action<int> told)
        => Run(() =>
        {
            _persist.Run([.. jobs.Select((writes, number) => JobOf(writes, () => told(number)))]);
            return 0;
        });

    public IReadOnlyList<LogEntry> CutEntries()
        => Run(() => (IReadOnlyList<LogEntry>)
            [.. CutFile.List(_files, _home.Log).SelectMany(file => CutFile.Read(_files, file.Path).Entries).Select(EngineRecords.ToModel)]);

    public EngineState Crash(CrashKind kind, IReadOnlyList<IReadOnlyList<DiskWrite>> underWay, Action<int> told)
    {
        _disk.CrashSoon(kind, OperationsOfABatch);
        if (underWay.Count > 0)
        {
            Persist(underWay, job =>
            {
                if (_disk.Found is null)
                    told(job);
            });
        }

        _disk.CrashNow();
        Close();
        _disk.Restore();
        return Run(() =>
        {
            Open();
            return State();
        });
    }

    public Position Trim(Position through)
        => Run(() =>
        {
            _log.DropBefore(through.Index.Next);
            return _log.Before;
        });

    public void Damage()
    {
        _disk.Ignore();
        Close();
        foreach (var path in Directory.GetFiles(_home.Log))
            File.Delete(path);
        foreach (var path in Directory.GetFiles(_home.Path).Where(path => path != _home.Vote))
            File.Delete(path);
        SimulatedTable.Create(_home.Database);
        _disk.Watch();
        Run(Open);
    }

    public IEngineSnapshot Copy(TermHistory terms)
        => Run(() =>
        {
            // Beside the nodes' directories: what becomes of it at a crash is of no interest.
            SnapshotCopy copy;
            using (var snapshot = _database.Readers.OpenSnapshot())
                copy = SnapshotWriter.Copy(snapshot, _copyPath, CancellationToken.None);
            var id = new Guid(++_copies, 0, 0, [0, 0, 0, 0, 0, 0, 0, (byte)_node.Value[^1]]);
            var manifest = SnapshotWriter.Describe(copy, id, terms, new SnapshotOwner(default, Group, _node), CancellationToken.None);
            return (IEngineSnapshot)new EngineSnapshot(manifest, File.ReadAllBytes(_copyPath), SimulatedTable.Read(_database));
        });

    public EngineState Install(IEngineSnapshot copy)
        => Run(() =>
        {
            var (manifest, bytes, expected) = (EngineSnapshot)copy;
            using (var incoming = IncomingSnapshot.Begin(_files, _home, manifest))
            {
                for (var chunk = 0; chunk < manifest.Chunks; chunk++)
                    incoming.Add(bytes.AsSpan((int)incoming.Offset, manifest.LengthOfChunk(chunk)));
                incoming.Complete();
            }

            SnapshotVerification.Check(_home.IncomingFile, manifest, CancellationToken.None);
            var fate = SnapshotInstall.FateOf(_log, manifest);
            Close();
            SnapshotInstall.Begin(_files, _home, manifest, fate);
            Open();
            Require(SimulatedTable.Difference(expected, SimulatedTable.Read(_database)), Check.EqualDigests);
            return State();
        });

    public void BeginBatch() => Run(() =>
    {
        _database.BeginBatch();
        return 0;
    });

    public (LogEntry? Entry, Position Earlier) Execute(WriteRequest request, Position position)
        => Run(() =>
        {
            var execution = _database.Execute(SimulatedTable.Unit(request), EngineRecords.ContextOf(request, position));
            if (execution.Duplicate is { } earlier)
                return (null, earlier.Position);
            if (execution.Entry is not { } entry || execution.Result.FirstError is not null)
                throw new SimulationFailure(Check.EngineWorks, $"{_node} executed a write at {position} without an entry: {execution.Result.FirstError}");
            return ((LogEntry?)EngineRecords.ToModel(entry), default(Position));
        });

    public void CommitBatch(KeyValueState expected)
        => Run(() =>
        {
            _database.CommitBatch();
            Require(SimulatedTable.RowDifference(expected, _database), Check.EqualDigests);
            return 0;
        });

    public void Apply(LogEntry entry, KeyValueState expected)
        => Run(() =>
        {
            if (!ModelRecord.Decode(entry).IsNoOp && _random.Next(EntriesBetweenSpoils) == 0)
                ApplyOverSpoiledRow(entry);
            _database.Apply([EngineRecords.ToEngine(entry)]);
            Require(SimulatedTable.RowDifference(expected, _database), Check.EqualDigests);
            return 0;
        });

    public bool Checkpoint(GroupView view)
        => Run(() =>
        {
            var settled = LogIndex.Min(view.Durable, view.Committed);
            return Checkpointer.IsSettled(_database.Applied, settled, view.Terms)
                && new Checkpointer(_files, _home.Database).Run(_database, settled, view.Terms, TimeSpan.Zero) != CheckpointOutcome.Incomplete;
        });

    public KeyValueState Rewind()
        => Run(() =>
        {
            CloseDatabase();
            OpenDatabase();
            return SimulatedTable.Read(_database);
        });

    public void Verify(KeyValueState expected)
        => Run(() =>
        {
            using var snapshot = _database.Readers.OpenSnapshot();
            foreach (var scan in snapshot.FullScan(CancellationToken.None))
                Require(scan.IsConsistent ? null : $"the digest of {scan.Table} is {scan.Recorded}, that of its rows {scan.Digest}", Check.EqualDigests);
            Require(SimulatedTable.Difference(expected, SimulatedTable.Read(_database)), Check.EqualDigests);
            return 0;
        });

    public void Dispose()
    {
        _disk.Ignore();
        Close();
    }

    /// <summary>Every copy proves itself: an entry is not applied over a row that is not the leader's. The row is mended then.</summary>
    private void ApplyOverSpoiledRow(LogEntry entry)
    {
        var key = ModelRecord.Decode(entry).Key;
        SimulatedTable.Change(_home.Database, key, by: 1);
        try
        {
            _database.Apply([EngineRecords.ToEngine(entry)]);
        }
        catch (DivergenceException)
        {
            SimulatedTable.Change(_home.Database, key, by: -1);
            return;
        }

        throw new SimulationFailure(Check.EqualDigests, $"{_node} applied {entry.Position} over a row that is not the leader's, and did not notice");
    }

    private int Open()
    {
        SnapshotInstall.Finish(_files, _home, Group, LogOptions);
        _log = ReplicationLog.Open(_files, _home.Log, Group, LogOptions);
        _votes = VoteStore.Open(_files, _home.Vote, _log.Last);
        _persist = new PersistBatch(_log, _votes);
        OpenDatabase();
        SnapshotInstall.ForgetReplaced(_files, _home);
        return 0;
    }

    private void OpenDatabase()
    {
        DatabaseRecovery.Prepare(_files, _home.Database);
        _database = ReplicaDatabase.Open(_home.Database, DatabaseOptions);
    }

    private void Close()
    {
        CloseDatabase();
        _votes.Dispose();
        _log.Dispose();
    }

    private void CloseDatabase() => _database.Dispose();

    private EngineState State()
    {
        var entries = new List<LogEntry>();
        for (var index = _log.First; index <= _log.Last.Index; index = entries[^1].Position.Index.Next)
            entries.AddRange(_log.Read(index, _log.Last.Index, int.MaxValue).Select(EngineRecords.ToModel));
        return new EngineState(
            new Vote(_votes.Current.Term, _votes.Current.VotedFor),
            _log.Before,
            _log.Terms.CutFrom(_log.First),
            entries,
            CutEntries(),
            SimulatedTable.Read(_database));
    }

    /// <summary>A job as the group loop gives it to the log thread; what is to be cut and appended goes through the log's tail first.</summary>
    private PersistJob JobOf(IReadOnlyList<DiskWrite> writes, Action persisted)
    {
        DurableVote? vote = null;
        LogIndex? cut = null;
        var entries = new List<LogEntry>();
        foreach (var write in writes)
        {
            switch (write)
            {
                case DiskWrite.StoreVote store:
                    vote = new DurableVote(store.Vote.Term, store.Vote.For);
                    break;
                case DiskWrite.Cut from:
                    cut = from.From;
                    break;
                case DiskWrite.Append append:
                    entries.Add(EngineRecords.ToEngine(append.Entry));
                    break;
            }
        }

        if (cut is { } first)
            _log.Tail.CutFrom(first);
        _log.Tail.Append(entries);
        return new PersistJob { Vote = vote, CutFrom = cut, CutReason = "another leader's history", Entries = entries, Persisted = persisted };
    }

    private void Require(string? difference, Check check)
        => LogChecks.Require(difference is null, check, $"{_node}: {difference}");

    /// <summary>On a disk that works the engine does what it is asked to.</summary>
    private T Run<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception failure) when (failure is not SimulationFailure)
        {
            throw new SimulationFailure(failure is DivergenceException ? Check.EqualDigests : Check.EngineWorks, $"{_node}: {failure}");
        }
    }
}

/// <summary>A verified copy on its way.</summary>
internal sealed record EngineSnapshot(SnapshotManifest Manifest, byte[] Bytes, KeyValueState State) : IEngineSnapshot;
