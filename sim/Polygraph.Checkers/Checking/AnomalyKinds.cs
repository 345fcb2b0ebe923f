namespace Polygraph.Checkers.Checking;

/// <summary>Names of what checkers find. docs/checkers.md says what each means.</summary>
public static class AnomalyKinds
{
    public const string Phantom = "phantom";
    public const string FailedButSeen = "failed but seen";
    public const string ReadOfTheFuture = "read of the future";
    public const string StaleRead = "stale read";
    public const string LostUpdate = "lost update";
    public const string NotLinearizable = "not linearizable";

    public const string Lost = "lost";
    public const string Duplicate = "duplicate";
    public const string Divergent = "divergent";
    public const string Reordered = "reordered";
    public const string WentBackwards = "went backwards";

    public const string ReadYourWrites = "read your writes";
    public const string MonotonicReads = "monotonic reads";
    public const string MonotonicWrites = "monotonic writes";
    public const string WritesFollowReads = "writes follow reads";

    public const string WrongTotal = "wrong total";
    public const string WrongAccounts = "wrong accounts";
    public const string Overdrawn = "overdrawn";
    public const string UnexplainedBalances = "unexplained balances";

    public const string Internal = "internal";
    public const string IncompatibleOrder = "incompatible order";
    public const string AbortedRead = "G1a aborted read";
    public const string IntermediateRead = "G1b intermediate read";
    public const string WriteCycle = "G0 write cycle";
    public const string CircularInformationFlow = "G1c circular information flow";
    public const string SingleAntiDependency = "G-single";
    public const string AntiDependencyCycle = "G2 anti-dependency cycle";

    /// <summary>Follows the name of a cycle that needs real time: serializable perhaps, and not strictly so.</summary>
    public const string RealTime = "-realtime";
}
