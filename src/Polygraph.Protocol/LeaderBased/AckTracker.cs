using Polygraph.Protocol.Effects;

namespace Polygraph.Protocol.LeaderBased;

/// <summary>
/// The writes that wait for their ack level. For one policy the index up to which it is met only grows, so the waiting writes of a policy
/// are a queue in log order and a step looks at each queue's head. Owned by the core.
/// </summary>
internal sealed partial class AckTracker
{
    private readonly Dictionary<Requirement, Queue<Waiting>> _queues = [];

    // Retries of entries that were appended long ago: few, and not in the order of the queues.
    private readonly List<Waiting> _older = [];

    private readonly record struct Requirement(AckLevel Level, int Copies, bool Applied);

    private readonly record struct Waiting(WriteTicket Ticket, Instant Since, Instant DegradesAt, Instant EndsAt);

    // As in GroupCore.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    public int Count { get; private set; }

    /// <summary>Whether any waiting write wants to be visible on followers, which they then must say unasked.</summary>
    public bool WantsApplied { get; private set; }

    public void Add(WriteTicket ticket, Instant now, TimeSpan semiSyncTimeout)
    {
        var policy = ticket.Policy;
        var requirement = new Requirement(policy.Level, policy.Level == AckLevel.SemiSync ? policy.Copies : 0, policy.Applied);
        if (!_queues.TryGetValue(requirement, out var queue))
            _queues[requirement] = queue = new Queue<Waiting>();
        queue.Enqueue(NewWaiting(ticket, now, semiSyncTimeout));
        Count++;
        WantsApplied |= policy.Applied;
    }

    /// <summary>
    /// A write whose entry is older than those that wait: answered at once if its level is met, so that it never stands behind newer ones.
    /// </summary>
    public void AddOlder(WriteTicket ticket, VoterIndexes voters, Instant now, TimeSpan semiSyncTimeout, EffectList effects)
    {
        var policy = ticket.Policy;
        if (ticket.Position.Index <= voters.Met(policy.Level, policy.Copies, policy.Applied))
            effects.Add(Result(new Waiting(ticket, now, now, now), voters, now, reached: true, degraded: false, reason: null));
        else
        {
            _older.Add(NewWaiting(ticket, now, semiSyncTimeout));
            Count++;
            WantsApplied |= policy.Applied;
        }
    }

    /// <summary>Completes every write whose policy is met now.</summary>
    public void Complete(VoterIndexes voters, Instant now, EffectList effects)
    {
        if (Count == 0)
            return;
        foreach (var (requirement, queue) in _queues)
        {
            if (queue.Count == 0)
                continue;
            var met = voters.Met(requirement.Level, requirement.Copies, requirement.Applied);
            while (queue.TryPeek(out var waiting) && waiting.Ticket.Position.Index <= met)
            {
                Remove(queue);
                effects.Add(Result(waiting, voters, now, reached: true, degraded: false, reason: null));
            }
        }

        if (_older.Count > 0)
            CompleteOlder(voters, now, effects);
        ForgetApplied();
    }

    /// <summary>Ends every write whose time is over: degraded where the policy allows that and the leader holds it, else not reached.</summary>
    public void Expire(VoterIndexes voters, Instant now, EffectList effects)
    {
        foreach (var queue in _queues.Values)
        {
            // Writes with different timeouts share a queue, so all of it is looked at; it is as long as what is on its way.
            for (var left = queue.Count; left > 0; left--)
            {
                var waiting = Remove(queue);
                if (Expired(waiting, voters, now) is { } end)
                    effects.Add(end);
                else
                    Keep(queue, waiting);
            }
        }

        if (_older.Count > 0)
            ExpireOlder(voters, now, effects);
        ForgetApplied();
    }

    /// <summary>Ends every waiting write because this node no longer leads.</summary>
    public void Abandon(VoterIndexes voters, Instant now, string reason, EffectList effects)
    {
        foreach (var queue in _queues.Values)
            while (queue.Count > 0)
                effects.Add(Result(Remove(queue), voters, now, reached: false, degraded: false, reason, leadershipLost: true));
        RemoveOlder(waiting => Result(waiting, voters, now, reached: false, degraded: false, reason, leadershipLost: true), effects);
        WantsApplied = false;
    }

    private void ExpireOlder(VoterIndexes voters, Instant now, EffectList effects)
        => RemoveOlder(waiting => Expired(waiting, voters, now), effects);

    private void CompleteOlder(VoterIndexes voters, Instant now, EffectList effects)
        => RemoveOlder(waiting => IsMet(waiting, voters) ? Result(waiting, voters, now, reached: true, degraded: false, reason: null) : null, effects);

    private static Waiting NewWaiting(WriteTicket ticket, Instant now, TimeSpan semiSyncTimeout)
    {
        var ends = now + ticket.Policy.Timeout;
        var degrades = ticket.Policy.Level == AckLevel.SemiSync ? Instant.Min(now + semiSyncTimeout, ends) : Instant.Never;
        return new Waiting(ticket, now, degrades, ends);
    }

    private static bool IsMet(Waiting waiting, VoterIndexes voters)
    {
        var policy = waiting.Ticket.Policy;
        return waiting.Ticket.Position.Index <= voters.Met(policy.Level, policy.Copies, policy.Applied);
    }

    private static Effect.CompleteWrite? Expired(Waiting waiting, VoterIndexes voters, Instant now)
    {
        var isDegraded = true;
        Plant("DegradesSilently", ref isDegraded, false);
        if (waiting.DegradesAt <= now && voters.Self >= waiting.Ticket.Position.Index)
            return Result(waiting, voters, now, reached: true, isDegraded, reason: null);
        return waiting.EndsAt > now
            ? null
            : Result(
                waiting, voters, now, reached: false, degraded: false,
                $"{waiting.Ticket.Policy} was not reached within {waiting.Ticket.Policy.Timeout.TotalMilliseconds:0} ms");
    }

    private void RemoveOlder(Func<Waiting, Effect.CompleteWrite?> end, EffectList effects)
    {
        Count -= _older.RemoveAll(waiting =>
        {
            if (end(waiting) is not { } done)
                return false;
            effects.Add(done);
            return true;
        });
    }

    private static Effect.CompleteWrite Result(
        Waiting waiting, VoterIndexes voters, Instant now, bool reached, bool degraded, string? reason, bool leadershipLost = false)
    {
        var (write, position, policy) = waiting.Ticket;
        var receipt = new Receipt(
            position, policy, voters.Achieved(position.Index), voters.AckedBy(position.Index), degraded, now - waiting.Since);
        var missing = reached && !degraded ? [] : voters.Missing(position.Index, policy);
        var outcome = voters.Committed >= position.Index ? Outcome.Applied : Outcome.Unknown;
        Plant("UnknownCalledApplied", ref outcome, reached ? Outcome.Applied : outcome);
        Plant("UnknownCalledNotApplied", ref outcome, leadershipLost ? Outcome.NotApplied : outcome);
        return new Effect.CompleteWrite(write, new WriteResult(outcome, receipt, reached, missing, reason, leadershipLost));
    }

    private Waiting Remove(Queue<Waiting> queue)
    {
        Count--;
        return queue.Dequeue();
    }

    private void Keep(Queue<Waiting> queue, Waiting waiting)
    {
        Count++;
        queue.Enqueue(waiting);
    }

    private void ForgetApplied()
    {
        if (Count == 0)
            WantsApplied = false;
    }
}
