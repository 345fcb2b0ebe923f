using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Clusters;
using Polygraph.Nemesis.Faults;
using Polygraph.Nemesis.Histories;

namespace Polygraph.Nemesis.Running;

/// <summary>Injects one fault after the other, at times a second one beside it, and heals each. The first is aimed at the leader.</summary>
internal sealed class NemesisTask(FaultSchedule schedule, AttackedCluster cluster, LeaderWatch watch, Recording recording, Dice dice)
{
    private const int PercentBeside = 20;

    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan PauseMax = TimeSpan.FromMilliseconds(1800);

    private readonly List<FaultRecord> _done = [];

    /// <summary>What was injected, in order.</summary>
    public IReadOnlyList<FaultRecord> Done => _done;

    /// <summary>Works until it is told to stop; then the fault under way is healed and it ends.</summary>
    public async Task RunAsync(bool aimsAtLeader, CancellationToken stopping)
    {
        while (await PassesAsync(dice.Between(PauseMin, PauseMax), stopping).ConfigureAwait(false))
        {
            if (await schedule.DrawAsync(LeaderIfRunning(), null, aimsAtLeader).ConfigureAwait(false) is { } fault)
                await HoldAsync(fault, besides: null, stopping).ConfigureAwait(false);
            aimsAtLeader = false;
        }
    }

    private async Task HoldAsync(Fault fault, Fault? besides, CancellationToken stopping)
    {
        var before = watch.Newest;
        await fault.InjectAsync().ConfigureAwait(false);
        recording.Add(new HistoryEvent.Fault(fault.Kind, fault.Target?.Number) { AtNanoseconds = recording.Now });
        var hold = dice.Between(fault.Hold.Min, fault.Hold.Max);
        if (besides is null && dice.Chance(PercentBeside))
        {
            if (await PassesAsync(hold / 2, stopping).ConfigureAwait(false)
                && await schedule.DrawAsync(LeaderIfRunning(), fault, againstLeader: false).ConfigureAwait(false) is { } beside)
                await HoldAsync(beside, fault, stopping).ConfigureAwait(false);
            hold /= 2;
        }

        await PassesAsync(hold, stopping).ConfigureAwait(false);
        var evidence = await fault.EvidenceAsync().ConfigureAwait(false);
        await fault.HealAsync().ConfigureAwait(false);
        recording.Add(new HistoryEvent.Heal(fault.Kind, fault.Target?.Number) { AtNanoseconds = recording.Now });
        _done.Add(new FaultRecord(fault.Kind, fault.Description, evidence, watch.Newest?.Term > before?.Term));
    }

    private string? LeaderIfRunning()
        => watch.Newest is { } newest && cluster[newest.Node].Condition == NodeCondition.Running ? newest.Node : null;

    /// <summary>Waits; false if it was told to stop meanwhile.</summary>
    private static async Task<bool> PassesAsync(TimeSpan time, CancellationToken stopping)
    {
        await Task.WhenAny(Task.Delay(time, stopping)).ConfigureAwait(false);
        return !stopping.IsCancellationRequested;
    }
}
