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

/// <summary>"What did your replica find at this mark?"</summary>
internal sealed record ScanRequest(uint Group, Guid Verification, long BudgetMilliseconds);

/// <summary>
/// Proves that all copies are the same: a mark goes through the log like a write; at the mark every replica pins a snapshot and reads every
/// row of every table from it, while writes go on. Comparing kept counters would not do: the rows themselves are read.
/// </summary>
internal sealed class Verifications(NodeId self, IReadOnlyList<NodeId> voters, PeerCalls calls, NodeClock clock) : IVerificationSink
{
    /// <summary>Scans whose results wait to be fetched. A snapshot keeps the write-ahead log from being reset, so there are never many.</summary>
    private const int ScansMax = 4;

    /// <summary>How long a result is kept for whoever asked.</summary>
    private static readonly TimeSpan KeepFor = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan MarkBudget = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<ReplicaVerification>> _scans = new();

    // The marks that this node put into a log as the leader, until it is known what became of them.
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _marks = new();
    private int _running;
    private DatabaseRegistry? _databases;

    public void Attach(DatabaseRegistry databases) => _databases = databases;

    public void Reached(DatabaseInfo database, Guid verification, Snapshot snapshot)
    {
        var result = _scans.GetOrAdd(verification, NewScan);
        if (Interlocked.Increment(ref _running) > ScansMax)
        {
            Interlocked.Decrement(ref _running);
            snapshot.Dispose();
            result.TrySetResult(new ReplicaVerification(self.Value, false, [], $"{ScansMax} verifications are running here already; try again later"));
            return;
        }

        _ = Task.Run(() => ScanAsync(database, verification, snapshot, result));
    }

    /// <summary>Marks the log, lets every replica read its rows at the mark, and compares.</summary>
    public async Task<VerificationReport?> VerifyAsync(string name, TimeSpan budget, CancellationToken cancellation)
    {
        if (_databases!.Find(name) is not { } replica)
            return null;
        var ends = clock.Now + budget;
        var verification = Guid.CreateVersion7();
        var mark = await MarkAnywhereAsync(replica, verification, cancellation).ConfigureAwait(false);
        if (mark.Reason is not null)
            return new VerificationReport(name, 0, 0, false, [.. voters.Select(voter => new ReplicaVerification(voter.Value, false, [], mark.Reason))]);

        var asked = voters.Select(voter => AskAsync(voter, replica.Database.Id, verification, ends - clock.Now, cancellation));
        var found = await Task.WhenAll(asked).ConfigureAwait(false);
        var report = VerificationComparison.Compare(name, mark.Term, mark.Index, replica.View.Leader, found);
        foreach (var differing in report.Replicas.Where(one => !one.Equal && one.Tables.Count > 0))
            TellDiverged(replica.Database.Id, report, differing);
        return report;
    }

    /// <summary>Answers <see cref="PeerMethod.Diverged"/>: this node's copy was compared with the others and is wrong.</summary>
    public void Diverged(DivergedNotice notice)
        => Fail(
            new GroupId(notice.Group),
            new DivergenceException(notice.Table, new Position(new Term(notice.Term), new LogIndex(notice.Index)), null, null, notice.Detail));

    private void TellDiverged(GroupId group, VerificationReport report, ReplicaVerification differing)
    {
        var table = differing.Tables.FirstOrDefault(table => !table.Equal)?.Table ?? "";
        var notice = new DivergedNotice(group.Value, report.Term, report.Index, table, $"a verification of all replicas found that it {differing.Reason}");
        if (differing.Node == self.Value)
            Diverged(notice);
        else
            calls.Tell(new NodeId(differing.Node), PeerMethod.Diverged, JsonSerializer.SerializeToUtf8Bytes(notice, ReseedJson.Default.DivergedNotice));
    }

    // A replica that was opened anew since then, or serves nothing already, is not meant.
    private void Fail(GroupId group, Exception failure)
    {
        if (_databases!.Find(group) is { Failure: null } replica)
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
        try
        {
            return await scan.Task.WaitAsync(TimeSpan.FromMilliseconds(request.BudgetMilliseconds), clock.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            var reason = _databases!.Find(new GroupId(request.Group))?.Failure ?? "did not finish reading its rows in time";
            return new ReplicaVerification(self.Value, false, [], reason);
        }
    }

    private TaskCompletionSource<ReplicaVerification> NewScan(Guid verification)
    {
        _ = Task.Delay(KeepFor, clock.Time).ContinueWith(_ => _scans.TryRemove(verification, out var _), TaskScheduler.Default);
        return new TaskCompletionSource<ReplicaVerification>(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private async Task ScanAsync(DatabaseInfo database, Guid verification, Snapshot snapshot, TaskCompletionSource<ReplicaVerification> result)
    {
        // A leader that finds itself wrong gives up the lead only once its mark is decided: or the others' result would go with it.
        var decided = _marks.TryGetValue(verification, out var mark) ? mark.Task : Task.CompletedTask;
        try
        {
            using (snapshot)
            {
                var scans = snapshot.FullScan(CancellationToken.None);
                var tables = scans.Select(scan =>
                    new TableVerification(scan.Table, scan.Rows, scan.Digest.ToString(), scan.Recorded?.ToString(), scan.IsConsistent));
                result.TrySetResult(new ReplicaVerification(self.Value, true, [.. tables], null));
                if (scans.FirstOrDefault(scan => !scan.IsConsistent) is not { } changed)
                    return;
                await decided.ConfigureAwait(false);
                Fail(database.Id, new DivergenceException(changed.Table, snapshot.Position, changed.Recorded, changed.Digest, "its rows are not those that were written"));
            }
        }
#pragma warning disable CA1031 // Not hidden: it is the answer, and says that this replica could not be read.
        catch (Exception e)
#pragma warning restore CA1031
        {
            result.TrySetResult(new ReplicaVerification(self.Value, false, [], $"its rows could not be read: {e.Message}"));
            if (e is DatabaseDamagedException)
                Fail(database.Id, e);
            else if (e is SqliteException { IsDamage: true } damage)
                Fail(database.Id, DatabaseDamagedException.FoundBySqlite(damage));
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
        return answer is { } bytes && JsonSerializer.Deserialize(bytes.Span, ControlJson.Default.MarkReply) is { } reply
            ? reply
            : new MarkReply(0, 0, $"{leader}, which leads {replica.Database.Name}, did not answer");
    }

    private async Task<ReplicaVerification> AskAsync(NodeId node, GroupId group, Guid verification, TimeSpan left, CancellationToken cancellation)
    {
        var request = new ScanRequest(group.Value, verification, Math.Max(1, (long)left.TotalMilliseconds));
        if (node == self)
            return await ScanResultAsync(request).ConfigureAwait(false);
        var payload = JsonSerializer.SerializeToUtf8Bytes(request, ControlJson.Default.ScanRequest);
        var answer = await calls.CallAsync(node, PeerMethod.Scan, payload, left, cancellation).ConfigureAwait(false);
        return answer is { } bytes && JsonSerializer.Deserialize(bytes.Span, ControlJson.Default.ReplicaVerification) is { } found
            ? found
            : new ReplicaVerification(node.Value, false, [], "did not answer");
    }
}

/// <summary>Compares what the replicas found with one another and with what each had kept incrementally.</summary>
internal static class VerificationComparison
{
    public static VerificationReport Compare(
        string database, ulong term, ulong index, NodeId leader, IReadOnlyList<ReplicaVerification> found)
    {
        var expected = Expected(leader, [.. found.Where(replica => replica.Reason is null)]);
        var replicas = found.Select(replica => Judge(replica, expected)).OrderBy(replica => replica.Node, StringComparer.Ordinal).ToList();
        return new VerificationReport(database, term, index, replicas.All(replica => replica.Equal), replicas);
    }

    /// <summary>
    /// The digest that each table should have: what most replicas kept, each by itself, as the log told them; the leader's if there is no majority.
    /// So a leader whose own copy was changed is found too.
    /// </summary>
    private static Dictionary<string, string> Expected(NodeId leader, IReadOnlyList<ReplicaVerification> found)
    {
        var expected = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in found.SelectMany(replica => replica.Tables).Select(table => table.Table).Distinct())
        {
            var kept = found.Select(replica => (replica.Node, Digest: replica.Tables.FirstOrDefault(table => table.Table == name) is { } table ? table.Kept ?? table.Digest : null)).ToList();
            var mostly = kept.GroupBy(one => one.Digest).MaxBy(group => group.Count())!;
            var digest = mostly.Count() > found.Count / 2 ? mostly.Key : kept.FirstOrDefault(one => one.Node == leader.Value, kept[0]).Digest;
            if (digest is not null)
                expected[name] = digest;
        }

        return expected;
    }

    private static ReplicaVerification Judge(ReplicaVerification replica, Dictionary<string, string> expected)
    {
        if (replica.Reason is not null)
            return replica with { Equal = false };
        var tables = replica.Tables
            .Select(table => table with { Equal = table.Equal && expected.GetValueOrDefault(table.Table) == table.Digest })
            .OrderBy(table => table.Table, StringComparer.Ordinal)
            .ToList();
        var missing = expected.Keys.Except(tables.Select(table => table.Table)).Order(StringComparer.Ordinal).ToList();
        var differs = tables.Where(table => !table.Equal).Select(table => table.Table).ToList();
        var reason = missing.Count > 0 ? $"lacks {string.Join(", ", missing)}"
            : differs.Count > 0 ? $"rows differ in {string.Join(", ", differs)}"
            : null;
        return replica with { Tables = tables, Equal = reason is null, Reason = reason };
    }
}
