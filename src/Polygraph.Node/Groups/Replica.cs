using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Reseeding;
using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Protocol.Messages;
using Polygraph.Storage;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Groups;

/// <summary>
/// This node's copy of one database: the group loop, the writer and the log thread, and the clients that wait for them. What clients call is
/// safe from any thread.
/// </summary>
internal sealed partial class Replica : IGroupOutcomes, IWriterReports, IAsyncDisposable
{
    private readonly ILogger _logger;
    private readonly IVerificationSink _verifications;
    private readonly ReplicationLog _log;
    private readonly VoteStore _votes;
    private readonly ReplicaHome _home;
    private readonly IReplicaOwner _owner;
    private readonly ReplicaStore? _store;
    private readonly LogThread _disk;
    private readonly WriterThread? _writer;
    private readonly GroupLoop _loop;
    private readonly List<Thread> _threads = [];
    private readonly ConcurrentDictionary<ulong, ClientWrite> _writes = new();
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<ReadResult>> _reads = new();
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<bool?>> _holds = new();
    private volatile ReaderPool? _readers;
    private volatile string? _failure;
    private volatile string? _broken;
    private volatile string? _trouble;
    private TaskCompletionSource? _changed;
    private TaskCompletionSource? _fresher;
    private readonly TransactionLimits _transactions;
    private readonly NodeClock _clock;
    private int _snapshotsHeld;
    private ulong _ids;
    private Task _diskEnd = Task.CompletedTask;

    // Owner: the group loop; after its end, whoever closes the replica.
    private GroupEvent? _announced;
    private Task _relearned = Task.CompletedTask;

    public Replica(DatabaseInfo database, ReplicaParts parts)
    {
        Database = database;
        _logger = parts.Logger;
        _transactions = parts.Transactions;
        _verifications = parts.Verifications;
        _log = parts.Log;
        _votes = parts.Votes;
        _store = parts.Store;
        _readers = _store?.Database.Readers;
        _home = parts.Home;
        _owner = parts.Owner;
        _clock = parts.Clock;
        _broken = parts.Broken;
        _disk = new LogThread(_log, _votes, $"log {database.Name}", Failed);

        var vote = _votes.Current;
        var recovered = new RecoveredState(
            new Vote(vote.Term, vote.VotedFor), _log.Last, _log.Terms, _store?.Database.Applied ?? _log.Before, _log.Before,
            RelearnMarker.IsSet(DiskFileSystem.Instance, _home), _store?.Settled ?? Position.Zero);
        var core = new GroupCore(parts.Members, parts.Options, recovered, new LogSizes(_log), parts.Seed, parts.Boot, parts.Clock.Now);
        _loop = new GroupLoop(database.Id, parts.Members.Self, core, _log, _disk, parts.Peers, this, parts.Clock);
        if (_store is null)
            return;
        _writer = new WriterThread(_store, _log, this, parts.Clock, parts.Transactions, parts.Schema);
        _loop.Attach(_writer);
    }

    public DatabaseInfo Database { get; }

    /// <summary>The replica after its last step.</summary>
    public GroupView View => Failure is null ? _loop.View : _loop.View with { Role = Role.Follower, Serving = false, Leader = NodeId.None };

    /// <summary>The read connections; replaced when SQLite is rewound.</summary>
    /// <exception cref="ReplicaUnavailableException">There are none: SQLite is damaged.</exception>
    public ReaderPool Readers => _readers ?? throw new ReplicaUnavailableException(Failure!);

    /// <summary>Why this replica serves nothing; null while it does.</summary>
    public string? Failure => _failure ?? _broken;

    /// <summary>Whether it has stopped since it was opened: it appends, acknowledges and votes no more.</summary>
    public bool HasStopped => _failure is not null;

    /// <summary>Whether it was opened without SQLite, which is damaged: the log goes on, and nothing is served.</summary>
    public bool IsLogOnly => _store is null;

    /// <summary>Why this replica shows an old state and will not catch up by itself, if that is so.</summary>
    public string? Trouble => Failure ?? _trouble;

    /// <summary>Since when the writer takes no unit until a checkpoint is possible, because what it wrote is not durable on a majority yet; null while it does.</summary>
    public Instant? WritesAwaitCheckpointSince => _writer?.AwaitsCheckpointSince;

    /// <summary>The first entry that the log still has.</summary>
    public LogIndex FirstInLog => _log.First;

    /// <summary>
    /// The bytes in use of the log's segments. The disk has more: what the last one is filled ahead with, <see cref="CutBytes"/>, and parts of a
    /// damaged log that were put aside.
    /// </summary>
    public long LogBytes => _log.Segments.Sum(segment => segment.Bytes);

    /// <summary>
    /// Completes when leadership or a position in <see cref="View"/> has changed since the call. Heartbeats alone do not: whoever waits here for
    /// long must not be woken twenty times a second by an idle group.
    /// </summary>
    public Task NextChange() => Next(ref _changed);

    /// <summary>Completes after the group loop's next step, whatever it changed: for the short wait until a replica is fresh enough.</summary>
    public Task NextStep() => Next(ref _fresher);

    public void Start()
    {
        _diskEnd = _disk.RunAsync(CancellationToken.None);
        Run("group", _loop.Run);
        if (_writer is not null)
            Run("writer", _writer.Run);
    }

    /// <summary>A message of another member of the group; dropped, as by a network, if too much waits.</summary>
    public void Receive(NodeId from, PeerMessage message) => _loop.TryPost(new Input.Received(from, message));

    /// <summary>The last connection with another member has closed.</summary>
    public void NoteDisconnected(NodeId peer) => _loop.TryPost(new Input.Disconnected(peer));

    /// <summary>Runs a unit here if this node leads, and waits for its ack level.</summary>
    public Task<WriteEnd> WriteAsync(Func<ulong, ClientWrite> create) => Enqueue(create, write => new WriterOrder.Execute(write));

    /// <summary>Waits for its turn at the writer, which the transaction then has to itself, and runs its first request.</summary>
    public Task<WriteEnd> BeginAsync(LentTransaction transaction, Func<ulong, ClientWrite> create)
        => Enqueue(create, write => new WriterOrder.Begin(write, transaction));

    /// <summary>Runs the next request of a transaction that has the writer.</summary>
    public Task<WriteEnd> ContinueAsync(LentTransaction transaction, Func<ulong, ClientWrite> create)
    {
        var write = create(Interlocked.Increment(ref _ids));
        Register(write);
        if (Failure is not null || !_writer!.TryContinue(new WriterOrder.Continue(write, transaction)))
            write.Complete(WriteEnd.Of(WriteEndKind.NotLeader));
        return write.Completion;
    }

    /// <summary>Nobody will end this transaction: it is undone, or never begun.</summary>
    public void Abandon(LentTransaction transaction)
    {
        transaction.Lose(TransactionLoss.Abandoned);
        _writer?.NoteAbandoned();
    }

    /// <summary>Puts a verification mark into the log if this node leads, and waits until it is committed.</summary>
    public Task<WriteEnd> MarkAsync(Guid verification, Func<ulong, ClientWrite> create)
        => Enqueue(create, write => new WriterOrder.Mark(write, verification));

    /// <summary>Waits until a snapshot opened here sees all that the read must see.</summary>
    public async Task<ReadResult> ReadIndexAsync(Position? minimum, TimeSpan timeout, CancellationToken cancellation)
    {
        var id = Interlocked.Increment(ref _ids);
        var waiting = new TaskCompletionSource<ReadResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _reads[id] = waiting;
        if (Failure is not null || !_loop.TryPost(new Input.ReadIndex(id, minimum, timeout)))
            ReadDone(id, new ReadResult(ReadOutcome.NoLeader, LogIndex.Zero));
        return await waiting.Task.WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Waits until everything that a snapshot saw is committed: true; false if it is not in the log any more, so that one must look again; null if that took
    /// too long.
    /// </summary>
    public Task<bool?> HoldAsync(Position seen, TimeSpan timeout, CancellationToken cancellation)
    {
        // Most snapshots see only what is committed already; they need not bother the group loop.
        var view = View;
        if (seen.Index <= view.Committed && view.Terms.TermAt(seen.Index) == seen.Term)
            return Task.FromResult<bool?>(true);

        var id = Interlocked.Increment(ref _ids);
        var waiting = new TaskCompletionSource<bool?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _holds[id] = waiting;
        if (Failure is not null || !_loop.TryPost(new Input.HoldUntilCommitted(id, seen, timeout)))
            HoldDone(id, null);
        return waiting.Task.WaitAsync(cancellation);
    }

    public void WriteDone(ulong write, WriteResult result)
    {
        if (_writes.TryRemove(write, out var waiting))
            waiting.Complete(new WriteEnd(WriteEndKind.Decided, waiting.Result, result, result.Receipt?.Position ?? Position.Zero));
    }

    public void ReadDone(ulong read, ReadResult result)
    {
        if (_reads.TryRemove(read, out var waiting))
            waiting.TrySetResult(result);
    }

    public void HoldDone(ulong hold, bool? committed)
    {
        if (_holds.TryRemove(hold, out var waiting))
            waiting.TrySetResult(committed);
    }

    public void Announced(GroupEvent announced)
    {
        // A node that is alone asks for votes several times a second, for as long as it is alone: said once.
        if (announced == _announced)
            return;
        _announced = announced;
        GroupLog.Announced(_logger, Database.Name, announced.Kind, announced.Term, announced.Node, announced.Detail ?? "");
    }

    public void SnapshotNeeded(Position position) => _owner.NeedsSnapshot(this, position);

    // Not on the group's thread, which waits for no disk.
    public void Relearned() => _relearned = Task.Run(RemoveRelearnMarker);

    public void Published(GroupView before, GroupView after)
    {
        Interlocked.Exchange(ref _fresher, null)?.TrySetResult();
        if (Volatile.Read(ref _changed) is not null && !before.IsSameApartFromFreshness(after))
            Interlocked.Exchange(ref _changed, null)?.TrySetResult();
    }

    /// <summary>Called on whichever thread noticed. The replica stops: it acknowledges, votes and serves nothing more, and says why.</summary>
    public void Failed(Exception failure)
    {
        if (Interlocked.CompareExchange(ref _failure, failure.Message, null) is not null)
            return;
        if (DamageRules.Of(failure, _home.Vote) is null)
            GroupLog.Failed(_logger, Database.Name, failure);
        else
            GroupLog.Damaged(_logger, Database.Name, DamageRules.Describe(failure));
        _loop.Close();
        _writer?.Close();
        AbandonWaiting();
        NoteEnd();
        _owner.Failed(this, failure);
    }

    /// <summary>Says why nothing, or only an old state, is served, and what is being done about it; null: all is well again.</summary>
    public void Explain(string? reason)
    {
        _trouble = reason;
        if (reason is null)
            return;
        if (_failure is not null)
            _failure = reason;
        else if (_broken is not null)
            _broken = reason;
    }

    public void Report(Input input) => _loop.Post(input);

    public void AnswerWhenCommitted(ClientWrite write, WriteEnd end, Position seen)
    {
        var hold = HoldAsync(seen, write.Ack.Timeout, CancellationToken.None);
        if (hold.IsCompletedSuccessfully)
            write.Complete(AfterHold(end, seen, hold.Result));
        else
            _ = CompleteAfterAsync(write, end, seen, hold);
    }

    public void MarkReached(Guid verification, Snapshot snapshot) => _verifications.Reached(Database, verification, snapshot);

    public void VacuumFailed(string reason) => GroupLog.VacuumFailed(_logger, Database.Name, reason);

    public void Reopened(ReaderPool readers) => _readers = readers;

    /// <summary>Stops the threads and closes the files. What was acknowledged is durable; the rest is as after a crash.</summary>
    public async ValueTask DisposeAsync()
    {
        _failure ??= "the replica was stopped";
        _loop.Close();
        _writer?.Close();
        NoteEnd();
        try
        {
            foreach (var thread in _threads)
                thread.Join();
            _loop.CloseCatchUp();
            await _disk.DisposeAsync().ConfigureAwait(false);
            await _diskEnd.ConfigureAwait(false);

            // Late it would remove the marker of the replica that takes the place.
            await _relearned.ConfigureAwait(false);
            AbandonWaiting();
        }
        finally
        {
            // Whatever became of the rest: another replica may open these files next.
            CloseFiles();
        }
    }

    private void RemoveRelearnMarker()
    {
        try
        {
            RelearnMarker.Remove(DiskFileSystem.Instance, _home);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As after a crash that came first: the next start learns once more.
            GroupLog.RelearnMarkerStayed(_logger, Database.Name, e.Message);
        }
    }

    private void CloseFiles()
    {
        try
        {
            if (_store?.Close() == false)
                GroupLog.ReadersStayed(_logger, Database.Name);
        }
        finally
        {
            _votes.Dispose();
            _log.Dispose();
        }
    }

    // Nothing changes any more; whoever waits looks for the replica that takes the place.
    private void NoteEnd()
    {
        Interlocked.Exchange(ref _fresher, null)?.TrySetResult();
        Interlocked.Exchange(ref _changed, null)?.TrySetResult();
    }

    private static Task Next(ref TaskCompletionSource? source)
    {
        while (true)
        {
            if (Volatile.Read(ref source) is { } waiting)
                return waiting.Task;
            Interlocked.CompareExchange(ref source, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);
        }
    }

    private static async Task CompleteAfterAsync(ClientWrite write, WriteEnd end, Position seen, Task<bool?> hold)
        => write.Complete(AfterHold(end, seen, await hold.ConfigureAwait(false)));

    // What the unit saw was not committed: its answer may be wrong in the history that goes on, so it counts as not run.
    private static WriteEnd AfterHold(WriteEnd end, Position seen, bool? committed)
        => committed == true ? end with { Position = seen } : WriteEnd.Of(WriteEndKind.NotLeader);

    private Task<WriteEnd> Enqueue(Func<ulong, ClientWrite> create, Func<ClientWrite, WriterOrder> order)
    {
        var write = create(Interlocked.Increment(ref _ids));
        if (Failure is not null || !View.Serving)
        {
            write.Complete(WriteEnd.Of(WriteEndKind.NotLeader));
            return write.Completion;
        }

        // The disk is behind: taking more would only make everything wait longer, in memory.
        if (!_disk.HasRoom)
        {
            write.Complete(WriteEnd.Of(WriteEndKind.Busy));
            return write.Completion;
        }

        Register(write);
        if (!_writer!.TryEnqueue(order(write)))
            write.Complete(WriteEnd.Of(_failure is null ? WriteEndKind.Busy : WriteEndKind.NotLeader));
        return write.Completion;
    }

    private void Register(ClientWrite write)
    {
        _writes[write.Id] = write;
        _ = write.Completion.ContinueWith(
            static (_, state) =>
            {
                var (writes, id) = ((ConcurrentDictionary<ulong, ClientWrite>, ulong))state!;
                writes.TryRemove(id, out var _);
            },
            (_writes, write.Id),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void Run(string what, Action body)
    {
        var thread = new Thread(() =>
        {
            try
            {
                body();
            }
#pragma warning disable CA1031 // Not hidden: the replica stops, says why, and the rest of the node goes on.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Failed(e);
            }
        })
        {
            Name = $"{what} {Database.Name}",
            IsBackground = true,
        };
        _threads.Add(thread);
        thread.Start();
    }

    private void AbandonWaiting()
    {
        var reason = $"this replica stopped: {_failure}";
        foreach (var id in _writes.Keys)
            WriteDone(id, new WriteResult(Outcome.Unknown, null, false, [], reason, LeadershipLost: true));
        foreach (var id in _reads.Keys)
            ReadDone(id, new ReadResult(ReadOutcome.NoLeader, LogIndex.Zero));
        foreach (var id in _holds.Keys)
            HoldDone(id, null);
    }
}
