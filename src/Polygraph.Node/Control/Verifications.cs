using System.Collections.Concurrent;
using System.Text.Json;
using Polygraph.Node.Groups;
using Polygraph.Node.Http;
using Polygraph.Node.Reseeding;
using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Control;

/// <summary>"Put this mark into the log of this database."</summary>
internal sealed record MarkRequest(uint Group, Guid Verification, string Principal);

/// <summary>Where the mark stands, once it is committed; a reason otherwise.</summary>
internal sealed record MarkReply(ulong Term, ulong Index, string? Reason);

/// <summary>"What did your replica find at this mark?" With no time left: nobody waits for it any more.</summary>
internal sealed record ScanRequest(uint Group, Guid Verification, long BudgetMilliseconds);

/// <summary>
/// Proves that all copies are the same: a mark goes through the log like a write; at the mark every replica pins a snapshot and reads every
/// row of every table from it, while writes go on. Comparing kept counters would not do: the rows themselves are read.
/// </summary>
internal sealed class Verifications(NodeId self, IReadOnlyList<NodeId> voters, PeerCalls calls, StatusBoard status, NodeClock clock) : IVerificationSink
{
    /// <summary>Scans whose results wait to be fetched. A snapshot keeps the write-ahead log from being reset, so there are never many.</summary>
    private const int ScansMax = 4;

    /// <summary>How long a result is kept for whoever asked.</summary>
    private static readonly TimeSpan KeepFor = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Reading all rows takes as long as it takes, and a node that does it says twice a second how it is. One that has said nothing for so long is paused, or
    /// its machine is gone, and is not waited for.
    /// </summary>
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan MarkBudget = TimeSpan.FromSeconds(10);

    /// <summary>Whoever marked the log asks as soon as he knows that the mark is committed. A scan for which nobody does is of a mark that was replayed.</summary>
    private static readonly TimeSpan UnaskedFor = MarkBudget * 2;

    private readonly ConcurrentDictionary<Guid, PendingScan> _scans = new();

    // The marks that this node put into a log as the leader, until it is known what became of them.
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _marks = new();
    private int _running;
    private DatabaseRegistry? _databases;

    public void Attach(DatabaseRegistry databases) => _databases = databases;

    public void Reached(DatabaseInfo database, Guid verification, Snapshot snapshot)
    {
        var scan = _scans.GetOrAdd(verification, NewScan);
        scan.Replica = _databases!.Find(database.Id);
        if (Interlocked.Increment(ref _running) > ScansMax)
        {
            Interlocked.Decrement(ref _running);
            snapshot.Dispose();
            scan.Result.TrySetResult(NotRead($"{ScansMax} verifications are running here already; try again later"));
            return;
        }

        _ = Task.Run(() => ScanAsync(scan, verification, snapshot));
    }

    /// <summary>Marks the log, lets every replica read its rows at the mark, and compares.</summary>
    public async Task<VerificationReport> VerifyAsync(Replica replica, TimeSpan budget, CancellationToken cancellation)
    {
        var name = replica.Database.Name;
        var ends = clock.Now + budget;
        var verification = Guid.CreateVersion7();
        var mark = await MarkAnywhereAsync(replica, verification, cancellation).ConfigureAwait(false);
        if (mark.Reason is not null)
            return new VerificationReport(name, 0, 0, false, [.. voters.Select(voter => new ReplicaVerification(voter.Value, false, [], mark.Reason))]);

        var asked = voters.Select(voter => AskAsync(voter, replica.Database.Id, verification, ends - clock.Now, cancellation));
        ReplicaVerification[] found;
        try
        {
            found = await Task.WhenAll(asked).ConfigureAwait(false);
        }
        finally
        {
            // The rows of a large database are read for long: not for a client that is gone. Who has finished is not disturbed.
            if (cancellation.IsCancellationRequested)
                GiveUp(replica.Database.Id, verification);
        }

        var (report, wrong) = VerificationComparison.Compare(name, mark.Term, mark.Index, replica.View.Leader, found);
        foreach (var one in wrong)
        {
            TellDiverged(one.Node, new DivergedNotice(
                replica.Database.Id.Value, verification, report.Term, report.Index, one.Table, $"a verification of all replicas found that it {one.Reason}"));
        }

        return report;
    }

    private void GiveUp(GroupId group, Guid verification)
    {
        var nobodyWaits = new ScanRequest(group.Value, verification, 0);
        if (_scans.TryGetValue(verification, out var own))
            own.Limit(TimeSpan.Zero);
        foreach (var voter in voters.Where(voter => voter != self))
            calls.Tell(voter, PeerMethod.Scan, JsonSerializer.SerializeToUtf8Bytes(nobodyWaits, ControlJson.Default.ScanRequest));
    }

    /// <summary>Answers <see cref="PeerMethod.Diverged"/>: this node's copy was compared with the others and is wrong.</summary>
    public void Diverged(DivergedNotice notice)
    {
        if (_scans.TryGetValue(notice.Verification, out var scan))
            Fail(scan, new DivergenceException(notice.Table, new Position(new Term(notice.Term), new LogIndex(notice.Index)), null, null, notice.Detail));
    }

    private void TellDiverged(NodeId node, DivergedNotice notice)
    {
        if (node == self)
            Diverged(notice);
        else
            calls.Tell(node, PeerMethod.Diverged, JsonSerializer.SerializeToUtf8Bytes(notice, ReseedJson.Default.DivergedNotice));
    }

    // Only the opening whose rows were read is meant: one that took its place since then has other rows.
    private void Fail(PendingScan scan, Exception failure)
    {
        if (scan.Replica is { } replica && _databases!.Find(replica.Database.Id) == replica)
            replica.Failed(failure);
    }

    /// <summary>Answers <see cref="PeerMethod.Mark"/>: only the leader can.</summary>
    public async Task<MarkReply> MarkHereAsync(MarkRequest request)
    {
        if (_databases!.Find(new GroupId(request.Group)) is not { } replica)
            return new MarkReply(0, 0, $"{self} has no such database");
        var policy = AckPolicy.Default with { Timeout = MarkBudget };
        var empty = new SqlUnit(UnitMode.Atomic, []);
        var decided = _marks[request.Verification] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        WriteEnd end;
        try
        {
            end = await replica
                .MarkAsync(request.Verification, id => new ClientWrite(id, empty, policy, null, null, 0, request.Principal))
                .ConfigureAwait(false);
        }
        finally
        {
            _marks.TryRemove(request.Verification, out _);
            decided.SetResult();
        }

        return end is { Kind: WriteEndKind.Decided, Write: { Reached: true } }
            ? new MarkReply(end.Position.Term.Value, end.Position.Index.Value, null)
            : new MarkReply(0, 0, end.Write?.Reason ?? $"{self} does not lead {replica.Database.Name}");
    }

    /// <summary>Answers <see cref="PeerMethod.Scan"/>.</summary>
    public async Task<ReplicaVerification> ScanResultAsync(ScanRequest request)
    {
        var scan = _scans.GetOrAdd(request.Verification, NewScan);
        var budget = TimeSpan.FromMilliseconds(request.BudgetMilliseconds);
        scan.Limit(budget);
        var ends = clock.Now + budget;
        while (true)
        {
            var (stopped, changed) = LookForStop(new GroupId(request.Group));

            // It comes to no mark any more. One that takes its place may, but nobody can say when: a disk may be full for days. Whoever verifies rather
            // hears at once which copy was not read and why, and verifies again when it serves.
            if (stopped is not null && scan.Replica is null)
                return NotRead(stopped);
            try
            {
                if (await Task.WhenAny(scan.Result.Task, changed).WaitAsync(clock.Until(ends), clock.Time).ConfigureAwait(false) == scan.Result.Task)
                    return await scan.Result.Task.ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return NotRead(stopped ?? "did not finish reading its rows in time");
            }
        }
    }

    // Why this node's replica serves nothing, if so, and what completes when that may have changed.
    private (string? Stopped, Task Changed) LookForStop(GroupId group)
    {
        // Both tasks before what they tell the end of: else a stop in between wakes nobody.
        var changed = _databases!.NextChange();
        if (_databases.Find(group) is not { } replica)
            return (_databases.FindStopped(group)?.Reason, changed);
        var stops = replica.NextChange();
        return (replica.Failure, Task.WhenAny(changed, stops));
    }

    private ReplicaVerification NotRead(string reason) => new(self.Value, false, [], reason);

    private PendingScan NewScan(Guid verification)
    {
        _ = Task.Delay(KeepFor, clock.Time).ContinueWith(_ => _scans.TryRemove(verification, out var _), TaskScheduler.Default);
        return new PendingScan(UnaskedFor, clock.Time);
    }

    private async Task ScanAsync(PendingScan pending, Guid verification, Snapshot snapshot)
    {
        // A leader that finds itself wrong gives up the lead only once its mark is decided: or the others' result would go with it.
        var decided = _marks.TryGetValue(verification, out var mark) ? mark.Task : Task.CompletedTask;
        try
        {
            IReadOnlyList<TableScan> scans;
            using (snapshot)
                scans = snapshot.FullScan(pending.Stopped);
            var tables = scans.Select(scan =>
                new TableVerification(scan.Table, scan.Rows, scan.Digest.ToString(), scan.Recorded?.ToString(), scan.IsConsistent));
            pending.Result.TrySetResult(new ReplicaVerification(self.Value, true, [.. tables], null));
            if (scans.FirstOrDefault(scan => !scan.IsConsistent) is not { } changed)
                return;
            await decided.ConfigureAwait(false);
            Fail(pending, new DivergenceException(changed.Table, snapshot.Position, changed.Recorded, changed.Digest, "its rows are not those that were written"));
        }
        catch (OperationCanceledException) when (pending.Stopped.IsCancellationRequested)
        {
            pending.Result.TrySetResult(NotRead("did not finish reading its rows before nobody waited for them any more"));
        }
#pragma warning disable CA1031 // Not hidden: it is the answer, and says that this replica could not be read.
        catch (Exception e)
#pragma warning restore CA1031
        {
            pending.Result.TrySetResult(NotRead($"its rows could not be read: {e.Message}"));
            await decided.ConfigureAwait(false);
            if (e is DatabaseDamagedException)
                Fail(pending, e);
            else if (e is SqliteException { IsDamage: true } damage)
                Fail(pending, DatabaseDamagedException.FoundBySqlite(damage));
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private async Task<MarkReply> MarkAnywhereAsync(Replica replica, Guid verification, CancellationToken cancellation)
    {
        var request = new MarkRequest(replica.Database.Id.Value, verification, "verify");
        var leader = replica.View.Leader;
        if (leader.IsNone)
            return new MarkReply(0, 0, $"{replica.Database.Name} has no leader that {self} knows of");
        if (leader == self)
            return await MarkHereAsync(request).ConfigureAwait(false);
        var payload = JsonSerializer.SerializeToUtf8Bytes(request, ControlJson.Default.MarkRequest);
        var answer = await calls.CallAsync(leader, PeerMethod.Mark, payload, MarkBudget, cancellation).ConfigureAwait(false);
        return answer.Answer is { } bytes && JsonSerializer.Deserialize(bytes.Span, ControlJson.Default.MarkReply) is { } reply
            ? reply
            : new MarkReply(0, 0, $"{leader}, which leads {replica.Database.Name}, did not answer");
    }

    private async Task<ReplicaVerification> AskAsync(NodeId node, GroupId group, Guid verification, TimeSpan left, CancellationToken cancellation)
    {
        var request = new ScanRequest(group.Value, verification, Math.Max(1, (long)left.TotalMilliseconds));
        if (node == self)
            return await ScanResultAsync(request).ConfigureAwait(false);
        var payload = JsonSerializer.SerializeToUtf8Bytes(request, ControlJson.Default.ScanRequest);
        using var silent = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var call = calls.CallAsync(node, PeerMethod.Scan, payload, left, silent.Token);
        while (await Task.WhenAny(call, Task.Delay(LookEvery, clock.Time, cancellation)).ConfigureAwait(false) != call && !cancellation.IsCancellationRequested)
        {
            if (status.SilenceOf(node) < SilenceMax)
                continue;
            await silent.CancelAsync().ConfigureAwait(false);
            await ((Task)call).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return new ReplicaVerification(node.Value, false, [], "has fallen silent: its process may be paused, or its machine gone");
        }

        var answer = await call.ConfigureAwait(false);
        return answer.Answer is { } bytes && JsonSerializer.Deserialize(bytes.Span, ControlJson.Default.ReplicaVerification) is { } found
            ? found
            : new ReplicaVerification(node.Value, false, [], "did not answer");
    }

    /// <summary>A verification on this node, from when either the mark or the question for its result came.</summary>
    private sealed class PendingScan(TimeSpan limit, TimeProvider time)
    {
        private readonly CancellationTokenSource _stop = new(limit, time);
        private volatile Replica? _replica;

        /// <summary>When nobody waits for the result any more.</summary>
        public CancellationToken Stopped => _stop.Token;

        /// <summary>Somebody waits for so long from now on.</summary>
        public void Limit(TimeSpan left) => _stop.CancelAfter(left < TimeSpan.Zero ? TimeSpan.Zero : left);

        public TaskCompletionSource<ReplicaVerification> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The opening whose rows are read; null before the mark is reached.</summary>
        public Replica? Replica
        {
            get => _replica;
            set => _replica = value;
        }
    }
}
