namespace Polygraph.Checkers.Checking;

/// <summary>What a history must have to be judged, and how long a checker may think.</summary>
/// <param name="OperationsMin">A history with fewer operations is refused: it proves too little.</param>
/// <param name="WorkMax">
/// Steps that a search may take, for a register or a read of a bank. A step is some tens of nanoseconds to a microsecond, so the default ends within a minute.
/// A search that has not ended by then leaves the history undecided.
/// </param>
/// <param name="OkPercentMin">A history of which less is ok is refused.</param>
public sealed record CheckOptions(int OperationsMin = 100, long WorkMax = 20_000_000, int OkPercentMin = 50)
{
    public static CheckOptions Default { get; } = new();
}
