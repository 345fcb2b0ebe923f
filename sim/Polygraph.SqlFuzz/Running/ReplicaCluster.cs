using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Files;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Running;

/// <summary>A leader and two followers: the real storage engine, real files, entries encoded by the one and decoded by the others.</summary>
internal sealed class ReplicaCluster : IDisposable
{
    public const int Replicas = 3;

    private const int Leader = 0;

    private readonly string _directory;
    private readonly ReplicaDatabaseOptions _options;
    private readonly ReplicaDatabase[] _replicas = new ReplicaDatabase[Replicas];
    private readonly List<LogEntry> _log = [];
    private ulong _hybridTime = 1_700_000_000_000UL << EntryHeader.HybridCounterBits;

    public ReplicaCluster(string directory, ReplicaDatabaseOptions options)
    {
        (_directory, _options) = (directory, options);
        for (var i = 0; i < Replicas; i++)
            Open(i);
    }

    public IReadOnlyList<ReplicaDatabase> All => _replicas;

    /// <summary>Executes units in one batch on the leader. What it commits is the log's.</summary>
    public IReadOnlyList<UnitResult> Execute(IReadOnlyList<ScriptUnit> units, bool commit)
    {
        var leader = _replicas[Leader];
        var results = new List<UnitResult>();
        var entries = new List<LogEntry>();
        leader.BeginBatch();
        foreach (var unit in units)
        {
            var index = new LogIndex((ulong)(_log.Count + entries.Count + 1));
            var execution = leader.Execute(
                unit.ToUnit(),
                new EntryContext(new Position(new Term(1), index), 1_700_000_000_000_000, ++_hybridTime, null, null, default, AckLevel.Quorum, "fuzz"));
            results.Add(execution.Result);
            if (execution.Entry is { } entry)
                entries.Add(entry);
        }

        if (!commit)
        {
            leader.RollbackBatch();
            return results;
        }

        leader.CommitBatch();
        _log.AddRange(entries);
        return results;
    }

    /// <summary>Brings a follower up to date.</summary>
    public void Ship(int follower)
    {
        var replica = _replicas[follower];
        var from = (int)replica.Applied.Index.Value;
        if (from < _log.Count)
            replica.Apply(_log.GetRange(from, _log.Count - from));
    }

    public void Reopen(int replica)
    {
        _replicas[replica].Dispose();
        Open(replica);
    }

    /// <summary>Back to the last checkpoint, as after a crash, and forward again by the log.</summary>
    public void Rewind(int replica)
    {
        _replicas[replica].Dispose();
        DatabaseRecovery.Prepare(DiskFileSystem.Instance, PathOf(replica));
        Open(replica);
        Ship(replica);
    }

    public void Dispose()
    {
        foreach (var replica in _replicas)
            replica?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private string PathOf(int replica) => Path.Combine(_directory, $"n{replica + 1}", "database.sqlite");

    private void Open(int replica) => _replicas[replica] = ReplicaDatabase.Open(PathOf(replica), _options);
}
