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
internal sealed class ReadPath(NodeId self, NodeClock clock)
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

    /// <summary>What a read was promised before it began.</summary>
    /// <param name="Level">The level at which it is served.</param>
    /// <param name="Shown">What its snapshot must hold.</param>
    /// <param name="FreshAsOf">Everything committed before this moment is in the snapshot; null if that is unknown.</param>
    /// <param name="Fallback">Why it is served at another level than was asked for, if so.</param>
    private readonly record struct Admission(ReadLevel Level, LogIndex Shown, Instant? FreshAsOf, string? Fallback);

    /// <summary>Serves the read; null if the unit turns out to write, now that this replica's schema is recent enough to tell.</summary>
    /// <remarks><c>client</c> ends when the client is gone, <c>cancellation</c> also when its time is over, which ends waits but not a running statement.</remarks>
    public async Task<SqlResponse?> ReadAsync(Replica replica, SqlRequest request, SessionToken session, CancellationToken client, CancellationToken cancellation)
    {
        var (admission, refusal) = await AdmitAsync(replica, request, session, cancellation).ConfigureAwait(false);
        if (refusal is not null)
            return Failed(refusal);
        ReadExecution execution;
        using (var reader = await replica.Readers.RentAsync(cancellation).ConfigureAwait(false))
        {
            if (reader.Classify(request.Unit) == UnitClass.Write)
                return null;
            execution = reader.Execute(request.Unit, client);
        }

        (admission, refusal) = await ConfirmAsync(replica, request, admission, execution.Snapshot).ConfigureAwait(false);
        return refusal is null ? Answer(replica, request, session, execution, admission) : Failed(refusal);
    }

    /// <summary>Pins a state that is fit for the read, for whoever wants more of it than rows. The snapshot is the caller's.</summary>
    public async Task<PinnedRead> PinAsync(Replica replica, SqlRequest request, SessionToken session, CancellationToken cancellation)
    {
        var (admission, refusal) = await AdmitAsync(replica, request, session, cancellation).ConfigureAwait(false);
        if (refusal is not null)
            return new PinnedRead(null, null, refusal);
        var snapshot = replica.Readers.OpenSnapshot();
        (admission, refusal) = await ConfirmAsync(replica, request, admission, snapshot.Position).ConfigureAwait(false);
        if (refusal is null)
            return new PinnedRead(snapshot, ReportOf(snapshot.Position, admission), null);
        snapshot.Dispose();
        return new PinnedRead(null, null, refusal);
    }

    /// <summary>Waits until what this replica shows is enough for the read.</summary>
    private async Task<(Admission Admission, SqlProblem? Refusal)> AdmitAsync(
        Replica replica, SqlRequest request, SessionToken session, CancellationToken cancellation)
    {
        var began = clock.Now;
        var seen = session.PositionIn(replica.Database.Id);
        var level = LevelOf(request, seen);
        string? fallback = null;
        if (level == ReadLevel.Bounded && await WaitForBoundAsync(replica, request.Read, began, cancellation).ConfigureAwait(false) is { } missed)
        {
            fallback = missed;
            level = ReadLevel.Linearizable;
        }

        if (SessionRules.IsLost(replica.View, seen))
            return (default, Problems.SessionLost(replica.Database.Name));
        var asked = clock.Now;
        var (shown, problem) = await WaitToSeeAsync(replica, request, level, seen).ConfigureAwait(false);
        if (problem is not null)
            return (default, replica.Failure is { } stopped ? Stopped(replica, stopped) : problem);

        // Everything committed before this moment is in the snapshot, if the level promised that.
        var view = replica.View;
        var freshAsOf = level == ReadLevel.Linearizable ? asked : view.FreshAsOf;
        return (new Admission(level, LogIndex.Max(shown, view.Applied.Index), freshAsOf, fallback), null);
    }

    /// <summary>Whether what a snapshot saw may be told: it holds what was promised, and all of it is committed.</summary>
    private async Task<(Admission Admission, SqlProblem? Refusal)> ConfirmAsync(Replica replica, SqlRequest request, Admission admission, Position snapshot)
    {
        // A former leader may be rewound between that moment and the snapshot, which then holds less than was promised for it.
        if (snapshot.Index < admission.Shown)
        {
            if (admission.Level is not (ReadLevel.Any or ReadLevel.Local))
                return (admission, Problems.ReadVanished());
            admission = admission with { FreshAsOf = null };
        }

        if (admission.Level != ReadLevel.Local && await HoldAsync(replica, snapshot, request.Budget).ConfigureAwait(false) is { } vanished)
            return (admission, vanished);

        // Whatever stopped the replica, what it holds is not to be trusted any more: no level shows it.
        return (admission, replica.Failure is { } failure ? Stopped(replica, failure) : null);
    }

    private ReadReport ReportOf(Position snapshot, Admission admission)
        => new(self, snapshot, admission.Level, admission.FreshAsOf is { } fresh ? clock.Now - fresh : null, admission.Fallback);

    private SqlResponse Answer(Replica replica, SqlRequest request, SessionToken session, ReadExecution execution, Admission admission)
    {
        var report = ReportOf(execution.Snapshot, admission);
        var token = admission.Level == ReadLevel.Local ? session : session.With(replica.Database.Id, execution.Snapshot);
        var error = request.Unit.Mode == UnitMode.Atomic ? execution.Result.FirstError : null;
        return new SqlResponse(execution.Result, null, report, token.ToString(), self, error is null ? null : Problems.Sql(error));
    }

    /// <summary>Waits until SQLite shows what the read must see: the index that the snapshot must hold, or what was wrong.</summary>
    private async Task<(LogIndex Shown, SqlProblem? Problem)> WaitToSeeAsync(Replica replica, SqlRequest request, ReadLevel level, Position? seen)
    {
        if (level is not (ReadLevel.Linearizable or ReadLevel.Session))
            return (LogIndex.Zero, null);
        if (level == ReadLevel.Session && seen is null)
            return (LogIndex.Zero, null);
        var patience = level == ReadLevel.Session ? Min(PatienceMax, request.Budget) : request.Budget;
        var result = await replica.ReadIndexAsync(level == ReadLevel.Session ? seen : null, patience).ConfigureAwait(false);

        // A session that waited long enough here is served as a linearizable read, which sees at least as much.
        if (level == ReadLevel.Session && result.Outcome == ReadOutcome.TimedOut)
            result = await replica.ReadIndexAsync(null, request.Budget).ConfigureAwait(false);
        return (result.Index, result.Outcome switch
        {
            ReadOutcome.Ready => null,
            ReadOutcome.SessionLost => Problems.SessionLost(replica.Database.Name),
            ReadOutcome.NoLeader => Problems.NoLeader(replica.Database.Name, replica.Failure),
            _ => Problems.ReadTimeout($"{self} could not show what the read must see within {DurationText.Format(request.Budget)}."),
        });
    }

    private static async Task<SqlProblem?> HoldAsync(Replica replica, Position seen, TimeSpan budget)
        => await replica.HoldAsync(seen, budget).ConfigureAwait(false) switch
        {
            true => null,
            false => Problems.ReadVanished(),
            null => Problems.ReadTimeout($"What the read saw was not committed within {DurationText.Format(budget)}."),
        };

    /// <summary>Null once this replica is proven fresh enough; else what was missing when patience ended.</summary>
    private async Task<string?> WaitForBoundAsync(Replica replica, ReadOptions read, Instant began, CancellationToken cancellation)
    {
        while (true)
        {
            var changed = replica.NextStep();
            var view = replica.View;
            var missed = Miss(view, read);
            if (missed is null)
                return null;
            var left = PatienceMax - (clock.Now - began);
            if (left <= TimeSpan.Zero)
                return missed;
            await Task.WhenAny(changed, Task.Delay(left, clock.Time, cancellation)).ConfigureAwait(false);
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

    private SqlProblem Stopped(Replica replica, string failure)
        => Problems.Unavailable(self, $"its replica of \"{replica.Database.Name}\" stopped and serves nothing: {failure} Ask another node.");

    private SqlResponse Failed(SqlProblem problem) => new(null, null, null, null, self, problem);
}

/// <summary>A state of a replica that is fit for a read, or why there is none.</summary>
internal readonly record struct PinnedRead(Snapshot? Snapshot, ReadReport? Report, SqlProblem? Problem);
