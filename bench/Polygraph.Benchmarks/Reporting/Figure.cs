namespace Polygraph.Benchmarks.Reporting;

/// <summary>Which side of its target a figure should be on.</summary>
internal enum Better : byte
{
    Lower,
    Higher,
}

/// <summary>What several rounds measured.</summary>
/// <param name="Name">What of.</param>
/// <param name="Unit">For instance <c>× plain</c>.</param>
/// <param name="Rounds">One value a round.</param>
/// <param name="How">How it was measured, and the absolute figures behind a ratio.</param>
/// <param name="Target">Null: reported only.</param>
/// <param name="Better">Which values reach the target.</param>
internal sealed record Figure(string Name, string Unit, IReadOnlyList<double> Rounds, string How, double? Target = null, Better Better = Better.Lower)
{
    public double Median
    {
        get
        {
            var sorted = Rounds.Order().ToList();
            return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
        }
    }

    /// <summary>Whether the median reaches the target; null without one.</summary>
    public bool? IsReached => Target is not { } target ? null : Better == Better.Lower ? Median <= target : Median >= target;
}
