using Polygraph.Checkers.Histories;

namespace Polygraph.Nemesis.Running;

/// <summary>
/// What <c>+applied</c> adds to a level: on each copy that the receipt names the write is visible, so a read of that node that begins afterwards, at whatever
/// level, stands at its position or behind. A node that lost its copy meanwhile is let off: the next one is as old as where it came from.
/// </summary>
internal static class AppliedCheck
{
    /// <summary>How every complaint ends.</summary>
    public const string Words = "which had been acknowledged as visible there";

    private const int ShownMax = 5;

    /// <summary>Reads of a node that do not show what had been visible there; the first few.</summary>
    /// <param name="history">Its events say which nodes lost their copies.</param>
    /// <param name="writes">Writes that were acknowledged with <c>+applied</c>, and the nodes that hold them.</param>
    /// <param name="reads">Reads, and the node whose copy each saw.</param>
    public static IReadOnlyList<string> Complaints(
        History history, IReadOnlyCollection<(Operation Write, IReadOnlyList<string> AckedBy)> writes, IReadOnlyCollection<(Operation Read, string Node)> reads)
        =>
        [
            .. writes.SelectMany(write => write.AckedBy).Distinct()
                .SelectMany(node => OfNode(node, LossOf(node, history), [.. writes.Where(write => write.AckedBy.Contains(node)).Select(write => write.Write)], reads))
                .Take(ShownMax),
        ];

    private static IEnumerable<string> OfNode(string node, long lostAt, IReadOnlyList<Operation> writes, IEnumerable<(Operation Read, string Node)> reads)
    {
        var pending = new Queue<Operation>(writes.OrderBy(write => write.EndNanoseconds));
        Operation? farthest = null;
        foreach (var (read, _) in reads.Where(read => read.Node == node && read.Read.EndNanoseconds < lostAt).OrderBy(read => read.Read.StartNanoseconds))
        {
            while (pending.TryPeek(out var next) && next.EndNanoseconds < read.StartNanoseconds)
                farthest = IndexOf(pending.Dequeue()) is var index && (farthest is null || index > IndexOf(farthest)) ? next : farthest;
            if (farthest is not null && IndexOf(read) < IndexOf(farthest))
                yield return $"{node} showed {read.Position} in {read}, not {farthest.Position} of {farthest}, {Words}";
        }
    }

    private static long LossOf(string node, History history)
        => history.Events.OfType<HistoryEvent.Fault>()
            .Where(fault => fault.Kind == "damage" && node == $"n{fault.Target}")
            .Select(fault => fault.AtNanoseconds)
            .DefaultIfEmpty(long.MaxValue)
            .Min();

    private static ulong IndexOf(Operation operation) => operation.Position!.Value.Index;
}
