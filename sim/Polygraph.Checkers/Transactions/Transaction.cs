using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Transactions;

/// <summary>What one transaction read from one list first: the list as others had left it.</summary>
/// <param name="List">The list, by number.</param>
/// <param name="Elements">Its elements by number, without those that the transaction itself had appended.</param>
internal readonly record struct ListRead(int List, int[] Elements);

/// <summary>A transaction of a history with its elements by number.</summary>
/// <param name="Number">Its place among the transactions.</param>
/// <param name="Source">The line of the history.</param>
/// <param name="Appends">Elements that it appended, in its order.</param>
/// <param name="Reads">What it read from others; empty unless it is ok.</param>
internal sealed record Transaction(int Number, Operation Source, int[] Appends, IReadOnlyList<ListRead> Reads)
{
    public bool IsOk => Source.Type == OperationType.Ok;

    public bool IsFailed => Source.Type == OperationType.Fail;

    /// <summary>Whether it took effect: it is ok, or somebody saw what it appended.</summary>
    public bool IsCommitted { get; set; } = Source.Type == OperationType.Ok;
}
