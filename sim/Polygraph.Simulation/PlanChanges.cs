using Polygraph.Simulation.Faults;

namespace Polygraph.Simulation;

/// <summary>
/// What is taken away from a seed's plan, to see whether it fails without. Nothing here changes what the seed draws, so that what is left happens
/// as it did, as far as the history lets it.
/// </summary>
public sealed record PlanChanges
{
    public static readonly PlanChanges None = new();

    /// <summary>Kinds of faults that do not exist in this world.</summary>
    public IReadOnlySet<FaultKind> Without { get; init; } = new SortedSet<FaultKind>();

    /// <summary>At most so many clients.</summary>
    public int? Clients { get; init; }

    /// <summary>At most so many requests of each client.</summary>
    public int? Requests { get; init; }

    /// <summary>The safety phase ends no later, in simulated microseconds.</summary>
    public long? Until { get; init; }

    /// <summary>Faults come no earlier.</summary>
    public long? FaultsFrom { get; init; }

    /// <summary>Faults come no later.</summary>
    public long? FaultsUntil { get; init; }

    /// <summary>Without some more kinds.</summary>
    public PlanChanges And(params IEnumerable<FaultKind> without) => this with { Without = new SortedSet<FaultKind>(Without.Concat(without)) };

    /// <summary>As the command line has it; empty if nothing is changed.</summary>
    public override string ToString()
    {
        List<string> options = [.. Without.Select(kind => $"--without {kind}")];
        Add("--clients", Clients);
        Add("--requests", Requests);
        Add("--until", Until);
        Add("--faults-from", FaultsFrom);
        Add("--faults-until", FaultsUntil);
        return string.Join(' ', options);

        void Add(string option, long? value)
        {
            if (value is { } number)
                options.Add($"{option} {number}");
        }
    }
}
