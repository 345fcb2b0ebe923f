namespace Polygraph.Nemesis.Workloads;

/// <summary>The levels of a history: how its writes are acknowledged, how its reads are made.</summary>
internal sealed record Levels(string Ack, string Read)
{
    public static readonly IReadOnlyList<string> Acks = ["async", "async+applied", "semi-sync", "semi-sync+applied", "quorum", "quorum+applied", "all", "all+applied"];

    public static readonly IReadOnlyList<string> Reads = ["linearizable", "session", "bounded", "any", "local"];

    /// <summary>Whether an acknowledged write is promised to survive whatever a minority of the nodes suffers.</summary>
    public bool AreAcksDurable => AckName != "async";

    /// <summary>What bounded reads ask for; the label says what they got.</summary>
    public string? MaxStaleness => Read == "bounded" ? "1500ms" : null;

    /// <summary>The ack level without whether it is applied, as the format of histories has it.</summary>
    public string AckName => Ack.Split('+')[0];

    /// <summary>Whether a cluster of so many nodes takes such writes: <c>semi-sync</c> with more than three voters is refused.</summary>
    public bool AreTakenBy(int nodes) => AckName != "semi-sync" || nodes <= 3;
}
