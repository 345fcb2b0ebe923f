using Polygraph.Checkers.Histories;

namespace Polygraph.Nemesis.Running;

/// <summary>
/// A check that needs no values: the log has one order, and receipts and labels say where in it an operation stands. A write that began after another
/// was acknowledged stands behind it; a read that is linearizable, or proved to be at most so stale, stands behind every write acknowledged before
/// that.
/// </summary>
internal static class PositionCheck
{
    private const int ShownMax = 5;

    /// <summary>What contradicts one order; the first few.</summary>
    /// <param name="history">Its acknowledged writes must be promised to stay.</param>
    /// <param name="reads">Reads with the bound on their staleness that they were told, in nanoseconds.</param>
    public static IReadOnlyList<string> Complaints(History history, IEnumerable<(Operation Read, long StalenessNanoseconds)> reads)
    {
        var acknowledged = history.Operations
            .Where(operation => operation is { Type: OperationType.Ok, Position: not null, EndNanoseconds: not null } && IsWrite(operation))
            .OrderBy(write => write.EndNanoseconds)
            .ToList();
        var farthest = new List<Operation>(acknowledged.Count);
        foreach (var write in acknowledged)
            farthest.Add(farthest.Count > 0 && farthest[^1].Position!.Value.Index >= write.Position!.Value.Index ? farthest[^1] : write);
        var ends = acknowledged.Select(write => write.EndNanoseconds!.Value).ToList();
        return
        [
            .. acknowledged.Select(write => Behind(write, write.StartNanoseconds, isWrite: true))
                .Concat(reads.Select(read => Behind(read.Read, read.Read.StartNanoseconds - read.StalenessNanoseconds, isWrite: false)))
                .OfType<string>()
                .Take(ShownMax),
        ];

        string? Behind(Operation operation, long before, bool isWrite)
        {
            var found = ends.BinarySearch(before);
            var count = found < 0 ? ~found : found;
            if (count == 0)
                return null;
            var last = farthest[count - 1];
            var (must, stands) = (last.Position!.Value, operation.Position!.Value);
            return (isWrite ? stands.Index > must.Index : stands.Index >= must.Index)
                ? null
                : $"{operation} stands at {stands}, not behind {must} of {last}, which had been acknowledged by then";
        }
    }

    private static bool IsWrite(Operation operation)
        => operation.Kind is not OperationKind.Read && (operation.Kind is not OperationKind.Txn || operation.In.Items.Any(step => step.Items[0].Text == "append"));
}
