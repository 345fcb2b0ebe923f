using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Sessions;

/// <summary>The operations of one session: those that were ok in the order in which they ended, and all in the order in which they began.</summary>
internal sealed class SessionLog(string name, IEnumerable<Operation> operations)
{
    public string Name { get; } = name;

    public Operation[] ByStart { get; } = [.. operations.OrderBy(operation => operation.StartNanoseconds)];

    /// <summary>What the session knows for certain, one by one.</summary>
    public Operation[] Known { get; } = [.. operations.Where(operation => operation.Type == OperationType.Ok).OrderBy(operation => operation.EndNanoseconds)];

    /// <summary>How many of <see cref="Known"/> were over before it began. Called with later and later operations, from the count of the one before.</summary>
    public int KnownBefore(Operation operation, int from)
    {
        while (from < Known.Length && Known[from].EndedBefore(operation))
            from++;
        return from;
    }
}
