using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Routing;

/// <summary>
/// How a read is served here: wait until this replica shows enough, run on a snapshot, and hold the answer until everything the snapshot saw
/// is committed. Only the level <c>local</c> does not wait, and says so.
/// </summary>
internal sealed class ReadPath(NodeId self, NodeClock clock, TransactionLimits limits)
{
    /// <summary>How long a session or bounded read waits here before it is served another way.</summary>
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(1);

    /// <summary>A commit index older than this says nothing about how many entries are missing here.</summary>
    private static readonly TimeSpan KnownForMax = TimeSpan.FromSeconds(1);

    /// <summary>The level that a request asks for, in words or by what it brings.</summary>
    public static ReadLevel LevelOf(SqlRequest request, Position? seen)
        => request.Read.Level
            ?? (request.Read.MaxStaleness is not null || request.Read.MaxLagEntries is not null ? ReadLevel.Bounded
                : seen is not null ? ReadLevel.Session
                : ReadLevel.Linearizable);

    /// <summary>Serves the read; null if the unit turns out to write, now that this replica's schema is recent enough to tell.</summary>
    /// <remarks><c>client</c> ends when the client is gone, <c>cancellation</c> also when its time is over, which ends waits but not a running statement.</remarks>
    public async Task<SqlResponse?> ReadAsync(
        Replica replica, SqlRequest request, Instant ends, SessionToken session, CancellationToken client, CancellationToken cancellation)
    {
        var (ready, problem) = await WaitAsync(replica, request, ends, session, cancellation).ConfigureAwait(false);
        if (problem is not null)
            return Failed(problem);
        ReadExecution execution;
        using (var reader = await replica.RentReaderAsync(cancellation).ConfigureAwait(false))
        {
            if (reader.Classify(request.Unit) == UnitClass.Write)
                return null;
            execution = replica.Read(() => reader.Execute(request.Unit, client));
        }

        return await CheckAsync(replica, ends, ready, execution.Snapshot, cancellation).ConfigureAwait(false) is { } wrong
            ? Failed(wrong)
            : Answer(replica, request, session, execution, ready);
    }

    /// <summary>
    /// Opens a snapshot that the client holds, at the level that the request asks for. Everything that it shows is committed, so what is read from
    /// it needs no more waiting.
    /// </summary>
    public async Task<(SnapshotRead? Read, SqlProblem? Problem)> OpenAsync(
        Replica replica, SqlRequest request, Instant ends, SessionToken session, TimeSpan idle, TimeSpan total, CancellationToken cancellation)
    {
        var (ready, problem) = await WaitAsync(replica, request, ends, session, cancellation).ConfigureAwait(false);
        if (problem is not null)
            return (null, problem);
        if (replica.TryHoldSnapshot(idle, total) is not { } held)
            return (null, Problems.TooManySnapshots(replica.Database.Name, limits.SnapshotsMax));
        return await KeepIfFitAsync(held, CheckAsync(replica, ends, ready, held.Position, cancellation)).ConfigureAwait(false) is { } wrong
            ? (null, wrong)
            : (new SnapshotRead(replica, held, ready), null);
    }

    /// <summary>Pins a state that is fit for the read, for whoever wants more of it than rows. The snapshot is the caller's.</summary>
    public async Task<PinnedRead> PinAsync(Replica replica, SqlRequest request, Instant ends, SessionToken session, CancellationToken cancellation)
    {
        var (ready, problem) = await WaitAsync(replica, request, ends, session, cancellation).ConfigureAwait(false);
        if (problem is not null)
            return new PinnedRead(null, null, problem);
        var snapshot = replica.OpenSnapshot();
        return await KeepIfFitAsync(snapshot, CheckAsync(replica, ends, ready, snapshot.Position, cancellation)).ConfigureAwait(false) is { } wrong
            ? new PinnedRead(null, null, wrong)
            : new PinnedRead(snapshot, ReportOf(snapshot.Position, ready), null);
    }

    /// <summary>What can be said of a cursor before its rows are read.</summary>
    public SqlResponse Describe(SnapshotRead read, SqlRequest request, SessionToken session)
        => Answer(read.Replica, request, session, new ReadExecution(new UnitResult([]), read.Held.Position), read.Ready);

    /// <summary>Runs a piece of a transaction on its snapshot.</summary>
    public SqlResponse Run(SnapshotRead read, SqlRequest request, SessionToken session, CancellationToken client)
    {
        if (read.Held.TakeUp() is not { } snapshot)
            return Failed(Problems.TransactionLost(read.Held.Loss, limits));
        UnitResult result;
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(client, read.Held.Stop);
            result = read.Replica.Read(() => snapshot.RunInTransaction(request.Unit, stop.Token));
        }
        catch (OperationCanceledException) when (!client.IsCancellationRequested)
        {
            return Failed(Problems.TransactionLost(read.Held.Loss, limits));
        }
        catch (ReplicaUnavailableException e)
        {
            return Failed(Problems.Unavailable(self, e.Message));
        }
        finally
        {
            read.Held.PutDown();
        }

        return read.Replica.Failure is { } failure
            ? Failed(Stopped(read.Replica, failure))
            : Answer(read.Replica, request, session, new ReadExecution(result, read.Held.Position), read.Ready);
    }

    /// <summary>Waits until a snapshot opened now shows what the read must see.</summary>
    private async Task<(ReadReady Ready, SqlProblem? Problem)> WaitAsync(
        Replica replica, SqlRequest request, Instant ends, SessionToken session, CancellationToken cancellation)
    {
        var patience = Instant.Min(ends, clock.Now + PatienceMax);
        var seen = session.PositionIn(replica.Database.Id);
        var level = LevelOf(request, seen);
        string? fallback = null;
        if (level == ReadLevel.Bounded && await WaitForBoundAsync(replica, request.Read, patience, cancellation).ConfigureAwait(false) is { } missed)
        {
            fallback = missed;
            level = ReadLevel.Linearizable;
        }

        if (SessionRules.IsLost(replica.View, seen))
            return (default, Problems.SessionLost(replica.Database.Name));
        var needsNothing = level is ReadLevel.Any or ReadLevel.Local || (level == ReadLevel.Session && seen is null);
        if (needsNothing && !await WaitForRecoveryAsync(replica, ends, cancellation).ConfigureAwait(false))
            return (default, replica.Failure is { } failure ? Stopped(replica, failure) : Recovering(replica));
        var asked = clock.Now;
        var (shown, problem) = await WaitToSeeAsync(replica, request, ends, level, seen, cancellation).ConfigureAwait(false);
        if (problem is not null)
            return (default, replica.Failure is { } stopped ? Stopped(replica, stopped) : problem);

        // Everything committed before this moment is in the snapshot, if the level promised that.
        var view = replica.View;
        var freshAsOf = level == ReadLevel.Linearizable ? asked : view.FreshAsOf;
        shown = LogIndex.Max(shown, view.Applied.Index);
        return (new ReadReady(level, shown, freshAsOf, fallback), null);
    }

    /// <summary>What its check finds wrong with a snapshot; one that is wrong, or whose check fails, is given back.</summary>
    private static async Task<SqlProblem?> KeepIfFitAsync(IDisposable snapshot, Task<SqlProblem?> check)
    {
        var isFit = false;
        try
        {
            var wrong = await check.ConfigureAwait(false);
            isFit = wrong is null;
            return wrong;
        }
        finally
        {
            if (!isFit)
                snapshot.Dispose();
        }
    }

    /// <summary>What is wrong with a snapshot that was opened after the wait; null once everything that it shows may be told.</summary>
    private async Task<SqlProblem?> CheckAsync(
        Replica replica, Instant ends, ReadReady ready, Position snapshot, CancellationToken cancellation)
    {
        // A former leader may be rewound between that moment and the snapshot, which then holds less than was promised for it.
        if (snapshot.Index < ready.Shown && ready.Level is not (ReadLevel.Any or ReadLevel.Local))
            return Problems.ReadVanished();
        if (ready.Level != ReadLevel.Local && await HoldAsync(replica, ends, snapshot, cancellation).ConfigureAwait(false) is { } vanished)
            return vanished;

        // Whatever stopped the replica, what it holds is not to be trusted any more: no level shows it.
        return replica.Failure is { } failure ? Stopped(replica, failure) : null;
    }

    private ReadReport ReportOf(Position snapshot, ReadReady ready)
    {
        var freshAsOf = snapshot.Index < ready.Shown ? null : ready.FreshAsOf;
        return new ReadReport(self, snapshot, ready.Level, freshAsOf is { } fresh ? clock.Now - fresh : null, ready.Fallback);
    }

    private SqlResponse Answer(Replica replica, SqlRequest request, SessionToken session, ReadExecution execution, ReadReady ready)
    {
        var report = ReportOf(execution.Snapshot, ready);
        var token = ready.Level == ReadLevel.Local ? session : session.With(replica.Database.Id, execution.Snapshot);
        var error = request.Unit.Mode == UnitMode.Atomic ? execution.Result.FirstError : null;
        return new SqlResponse(execution.Result, null, report, token.ToString(), self, error is null ? null : Problems.Sql(error));
    }

    /// <summary>Waits until SQLite shows what the read must see: the index that the snapshot must hold, or what was wrong.</summary>
    private async Task<(LogIndex Shown, SqlProblem? Problem)> WaitToSeeAsync(
        Replica replica, SqlRequest request, Instant ends, ReadLevel level, Position? seen, CancellationToken cancellation)
    {
        if (level is not (ReadLevel.Linearizable or ReadLevel.Session))
            return (LogIndex.Zero, null);
        if (level == ReadLevel.Session && seen is null)
            return (LogIndex.Zero, null);
        var left = clock.Until(ends);
        var patience = level == ReadLevel.Session ? Min(PatienceMax, left) : left;
        var result = await replica.ReadIndexAsync(level == ReadLevel.Session ? seen : null, patience, cancellation).ConfigureAwait(false);

        // A session that waited long enough here is served as a linearizable read, which sees at least as much.
        if (level == ReadLevel.Session && result.Outcome == ReadOutcome.TimedOut)
            result = await replica.ReadIndexAsync(null, clock.Until(ends), cancellation).ConfigureAwait(false);
        return (result.Index, result.Outcome switch
        {
            ReadOutcome.Ready => null,
            ReadOutcome.SessionLost => Problems.SessionLost(replica.Database.Name),
            ReadOutcome.NoLeader => Problems.NoLeader(replica.Database.Name, replica.Failure),
            _ => Problems.ReadTimeout($"{self} could not show what the read must see within {Problems.InMilliseconds(left)}."),
        });
    }

    private async Task<SqlProblem?> HoldAsync(Replica replica, Instant ends, Position seen, CancellationToken cancellation)
    {
        var left = clock.Until(ends);
        return await replica.HoldAsync(seen, left, cancellation).ConfigureAwait(false) switch
        {
            true => null,
            false => Problems.ReadVanished(),
            null => Problems.ReadTimeout($"What the read saw on {self} was not committed within {Problems.InMilliseconds(left)}, and may yet vanish. Ask again or another node; a read at local shows it all the same."),
        };
    }

    /// <summary>
    /// The levels that promise nothing about what they show are led back in time by no start all the same. The others wait for more than this.
    /// </summary>
    private async Task<bool> WaitForRecoveryAsync(Replica replica, Instant ends, CancellationToken cancellation)
    {
        // One timer for the whole wait, and none for a read that need not wait.
        Task? over = null;
        while (true)
        {
            var changed = replica.NextChange();
            if (replica.Failure is not null)
                return false;
            if (!replica.View.Recovering)
                return true;
            if (clock.Now >= ends || over is { IsCompleted: true })
                return false;
            over ??= Task.Delay(clock.Until(ends), clock.Time, cancellation);
            await Task.WhenAny(changed, over).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Null once this replica is proven fresh enough; else what was missing when patience ended.</summary>
    private async Task<string?> WaitForBoundAsync(Replica replica, ReadOptions read, Instant ends, CancellationToken cancellation)
    {
        // One timer for the whole wait, and none for a read that need not wait.
        Task? over = null;
        while (true)
        {
            var changed = replica.NextStep();
            var view = replica.View;
            var missed = Miss(view, read);
            if (missed is null)
                return null;
            if (clock.Now >= ends || over is { IsCompleted: true })
                return missed;
            over ??= Task.Delay(clock.Until(ends), clock.Time, cancellation);
            await Task.WhenAny(changed, over).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private string? Miss(Protocol.LeaderBased.GroupView view, ReadOptions read)
    {
        // Unknown is stale, never healthy: a bound in entries too needs to know that the commit index itself is recent.
        if (view.FreshAsOf is not { } fresh)
            return $"the staleness of {self} is unknown";
        if (read.MaxStaleness is { } bound && clock.Now - fresh > bound)
            return $"{self} is proven fresh only as of {WholeMilliseconds(clock.Now - fresh)} ms ago, {DurationText.Format(bound)} was asked for";
        if (read.MaxLagEntries is not null && clock.Now - fresh > KnownForMax)
            return $"{self} has not been told how far the leader is for {WholeMilliseconds(clock.Now - fresh)} ms";
        var lag = view.Committed > view.Applied.Index ? view.Committed - view.Applied.Index : 0;
        return read.MaxLagEntries is { } most && lag > most ? $"{self} is {lag} entries behind, {most} were asked for" : null;
    }

    private static long WholeMilliseconds(TimeSpan duration) => (long)Math.Ceiling(duration.TotalMilliseconds);

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    /// <summary>What a replica answers that does not serve.</summary>
    public SqlProblem Stopped(Replica replica, string failure)
        => Problems.Unavailable(self, $"its replica of \"{replica.Database.Name}\" stopped and serves nothing: {failure} Ask another node.");

    private SqlProblem Recovering(Replica replica)
        => Problems.Unavailable(
            self, $"its replica of \"{replica.Database.Name}\" is recovering: it has not yet applied all that its log held when it started, and would show less than before. Ask another node.");

    private SqlResponse Failed(SqlProblem problem) => new(null, null, null, null, self, problem);
}

/// <summary>What a read was promised before its snapshot was opened.</summary>
/// <param name="Level">The level at which it is served.</param>
/// <param name="Shown">The index that the snapshot must hold.</param>
/// <param name="FreshAsOf">Everything committed before this moment is in the snapshot; null if that is not known.</param>
/// <param name="Fallback">Why another level serves it than was asked for, if so.</param>
internal readonly record struct ReadReady(ReadLevel Level, LogIndex Shown, Instant? FreshAsOf, string? Fallback);

/// <summary>A snapshot in the hands of a client.</summary>
internal sealed record SnapshotRead(Replica Replica, HeldSnapshot Held, ReadReady Ready);

/// <summary>A state of a replica that is fit for a read, or why there is none.</summary>
internal readonly record struct PinnedRead(Snapshot? Snapshot, ReadReport? Report, SqlProblem? Problem);
