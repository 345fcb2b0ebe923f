using Polygraph.Checkers.Histories;

namespace Polygraph.Nemesis.Running;

/// <summary>
/// What <c>+applied</c> adds to a level: on as many copies as it asks for the write is visible, so reads that begin afterwards, at any level but
/// <c>local</c>, stand at its position or behind on so many nodes. A receipt names the copies that hold the write and not those that show it, so as
/// many nodes may lag as the level does without. A node that lost its copy is let off from then on: the next one is as old as where it came from.
/// </summary>
internal static class AppliedCheck
{
    /// <summary>How every complaint ends.</summary>
    public const string Words = "although it had been acknowledged as visible";

    private const int ShownMax = 5;

    /// <summary>Writes that too many nodes did not show; the first few.</summary>
    /// <param name="history">Its events say which nodes lost their copies.</param>
    /// <param name="lagMax">How many nodes may lag behind an acknowledged write.</param>
    /// <param name="writes">Writes that were acknowledged with <c>+applied</c>.</param>
    /// <param name="reads">Reads, and the node whose copy each saw.</param>
    public static IReadOnlyList<string> Complaints(History history, int lagMax, IEnumerable<Operation> writes, IEnumerable<(Operation Read, string Node)> reads)
    {
        var views = reads.GroupBy(read => read.Node, read => read.Read).Select(node => new View(node.Key, LossOf(node.Key, history), node)).ToList();
        return
        [
            .. writes.Select(write => (Write: write, Behind: views.Select(view => (view.Node, Read: view.Behind(write))).Where(view => view.Read is not null).ToList()))
                .Where(write => write.Behind.Count > lagMax)
                .Select(write => $"{string.Join(" and ", write.Behind.Select(view => $"{view.Node} in {view.Read}"))} did not show {write.Write}, {Words}")
                .Take(ShownMax),
        ];
    }

    private static long LossOf(string node, History history)
        => history.Events.OfType<HistoryEvent.Fault>()
            .Where(fault => fault.Kind == "damage" && node == $"n{fault.Target}")
            .Select(fault => fault.AtNanoseconds)
            .DefaultIfEmpty(long.MaxValue)
            .Min();

    /// <summary>What one node showed in the course of time.</summary>
    private sealed class View
    {
        private readonly List<long> _starts;

        // For each read the one that stands first of it and all that began later.
        private readonly Operation[] _firstFrom;

        public View(string node, long lostAt, IEnumerable<Operation> reads)
        {
            Node = node;
            _firstFrom = [.. reads.Where(read => read.EndNanoseconds < lostAt).OrderBy(read => read.StartNanoseconds)];
            _starts = [.. _firstFrom.Select(read => read.StartNanoseconds)];
            for (var i = _firstFrom.Length - 2; i >= 0; i--)
                if (IndexOf(_firstFrom[i + 1]) < IndexOf(_firstFrom[i]))
                    _firstFrom[i] = _firstFrom[i + 1];
        }

        public string Node { get; }

        /// <summary>A read that began after the write was acknowledged and stands before it; null if there is none.</summary>
        public Operation? Behind(Operation write)
        {
            // Clocks are read in whole nanoseconds: what began in the same one counts as before.
            var found = _starts.BinarySearch(write.EndNanoseconds!.Value + 1);
            var first = found < 0 ? ~found : found;
            return first < _firstFrom.Length && IndexOf(_firstFrom[first]) < IndexOf(write) ? _firstFrom[first] : null;
        }

        private static ulong IndexOf(Operation operation) => operation.Position!.Value.Index;
    }
}
