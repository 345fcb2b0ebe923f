namespace Polygraph.Checkers.Checking;

/// <summary>What a checker says of a history. The numbers are exit codes of the command line.</summary>
public enum VerdictKind
{
    /// <summary>No anomaly that the checker can see.</summary>
    Valid = 0,

    /// <summary>At least one anomaly, with its witness.</summary>
    Invalid = 1,

    /// <summary>It proves nothing: too small, less than half of it ok, or the leader never changed although it should have.</summary>
    Refused = 3,

    /// <summary>The checker could not decide: a bound on its work was reached, or the history is cut where it matters.</summary>
    Undecided = 4,
}

/// <summary>Something that the promised level forbids.</summary>
/// <param name="Kind">One of <see cref="AnomalyKinds"/>.</param>
/// <param name="Witness">Which operations show it, in words.</param>
public sealed record Anomaly(string Kind, string Witness);

/// <summary>The judgement of one history.</summary>
/// <param name="Kind">What it came to.</param>
/// <param name="Line">One line for people: the verdict, the shares, and why.</param>
/// <param name="Anomalies">The first few of each kind.</param>
/// <param name="Counts">How many of each kind there are.</param>
public sealed record Verdict(VerdictKind Kind, string Line, IReadOnlyList<Anomaly> Anomalies, IReadOnlyDictionary<string, int> Counts);
