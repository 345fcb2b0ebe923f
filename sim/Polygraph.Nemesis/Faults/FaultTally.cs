namespace Polygraph.Nemesis.Faults;

/// <summary>A fault that was injected, and what it was seen to do.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Description">What was done.</param>
/// <param name="Evidence">A trace of it; null if it had no effect that was seen.</param>
/// <param name="ChangedLeader">Whether another leadership began while it lasted.</param>
internal sealed record FaultRecord(string Kind, string Description, string? Evidence, bool ChangedLeader)
{
    public bool Bit => Evidence is not null || ChangedLeader;
}
