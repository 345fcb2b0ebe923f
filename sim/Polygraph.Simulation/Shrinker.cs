using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation;

/// <summary>
/// Takes away from a failing seed whatever it fails without: kinds of faults, clients, requests, time. What is left is not always the least
/// there is (a history with less in it is another history), but it fails by the same check, and it is short enough to be read.
/// </summary>
public sealed class Shrinker(ulong seed, PlantedBug bug, TextWriter output)
{
    /// <summary>How often everything is tried again after something could be taken away.</summary>
    private const int RoundsMax = 4;

    /// <summary>Of 15 kinds, three can be chosen in 455 ways: so many runs, of ten milliseconds each.</summary>
    private const int KindsMax = 3;

    private SeedResult _least = null!;
    private int _runs;

    /// <summary>Says what is left. Returns the exit code: 0 if the seed failed and was reduced, 1 if it does not fail.</summary>
    public int Run()
    {
        _least = Try(PlanChanges.None);
        if (_least.Failed is not { } check)
        {
            output.WriteLine($"seed {seed} does not fail: there is nothing to shrink");
            return 1;
        }

        output.WriteLine($"seed {seed} fails by {check} after {_least.SimulatedMicroseconds / 1e6:0.000} s and {_least.Events:n0} events; taking away what is not needed");
        Shrink(check);
        output.WriteLine($"{_runs} runs");
        output.WriteLine($"kinds of faults left: {(_least.Plan.Faults.Count == 0 ? "none" : string.Join(", ", _least.Plan.Faults))}; {_least.Plan.Workload.Clients} of the clients, {_least.SimulatedMicroseconds / 1e6:0.000} s, {_least.Events:n0} events");
        output.WriteLine(_least.Failure);
        output.WriteLine($"  repeat: {Report.Command(seed, bug, _least.Plan.Changes)} --trace");
        output.WriteLine($"  record: NAME | plan {SeedPlan.Version} | {seed} {_least.Plan.Changes} | {bug} | {check} | what it found");
        return 0;
    }

    /// <summary>As <see cref="Run"/>, for whoever wants the changes and no words.</summary>
    public PlanChanges? Least()
    {
        _least = Try(PlanChanges.None);
        if (_least.Failed is not { } check)
            return null;
        Shrink(check);
        return _least.Plan.Changes;
    }

    private void Shrink(Check check)
    {
        FewKinds(check);
        for (var round = 0; round < RoundsMax; round++)
        {
            var before = _least;
            foreach (var kind in before.Plan.Faults)
                Keep(check, _least.Plan.Changes.And(kind));
            Lower(check, before.Plan.Workload.Clients, (changes, clients) => changes with { Clients = (int)clients });
            Lower(check, before.Plan.Changes.Requests ?? 200, (changes, requests) => changes with { Requests = (int)requests });
            Lower(check, before.SimulatedMicroseconds, (changes, time) => changes with { Until = time });
            Lower(check, before.SimulatedMicroseconds, (changes, time) => changes with { FaultsUntil = time });
            Raise(check, before.SimulatedMicroseconds, (changes, time) => changes with { FaultsFrom = time });
            if (_least == before)
                return;
        }
    }

    /// <summary>
    /// Taking away one kind after the other ends early, because each makes another history; so it is looked first whether one kind is enough, or
    /// two, or three.
    /// </summary>
    private void FewKinds(Check check)
    {
        var (all, changes) = (_least.Plan.Faults, _least.Plan.Changes);
        for (var count = 0; count <= KindsMax && count < all.Count; count++)
            foreach (var few in Choose([.. all], count))
                if (Keep(check, changes with { Without = new SortedSet<FaultKind>(changes.Without.Concat(all.Except(few))) }))
                    return;
    }

    private static IEnumerable<IEnumerable<FaultKind>> Choose(FaultKind[] kinds, int count)
        => count == 0
            ? [[]]
            : kinds.SelectMany((kind, place) => Choose(kinds[(place + 1)..], count - 1).Select(rest => rest.Prepend(kind)));

    /// <summary>The smallest value that still fails, if failing were monotone; every value that is kept was tried.</summary>
    private void Lower(Check check, long high, Func<PlanChanges, long, PlanChanges> with)
    {
        long low = 1;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (Keep(check, with(_least.Plan.Changes, middle)))
                high = middle;
            else
                low = middle + 1;
        }
    }

    private void Raise(Check check, long high, Func<PlanChanges, long, PlanChanges> with)
    {
        long low = 0;
        while (low + 1 < high)
        {
            var middle = low + ((high - low) / 2);
            if (Keep(check, with(_least.Plan.Changes, middle)))
                low = middle;
            else
                high = middle;
        }
    }

    /// <summary>Takes the changes if the seed fails with them by the same check.</summary>
    private bool Keep(Check check, PlanChanges changes)
    {
        var result = Try(changes);
        if (result.Failed != check)
            return false;
        _least = result;
        return true;
    }

    private SeedResult Try(PlanChanges changes)
    {
        _runs++;
        return new SeedRun(seed, bug, null, changes).Run();
    }
}
