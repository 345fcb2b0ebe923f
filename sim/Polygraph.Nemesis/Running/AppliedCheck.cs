using Polygraph.Checkers.Histories;

namespace Polygraph.Nemesis.Running;

/// <summary>
/// What <c>+applied</c> adds to a level: on as many copies as it asks for the write is visible, so reads that begin afterwards, at any level but
/// <c>local</c>, stand at its position or behind on so many nodes. A receipt names the copies that hold the write and not those that show it, so as
/// many nodes may lag as the level does without. A replica that is started anew, and a leader that was deposed, go back to a checkpoint and come forward
/// from there; reads are judged until then.
/// </summary>
internal static class AppliedCheck
{
    /// <summary>How every complaint ends.</summary>
    public const string Words = "although it had been acknowledged as visible";

    private const int ShownMax = 5;

    /// <summary>How long before a leader was seen the one before it may have stepped down.</summary>
    private const long NanosecondsWithoutLeader = 2_000_000_000;

    private static readonly string[] Restarts = ["kill", "restart", "clock", "damage"];

    /// <summary>Writes that too many nodes did not show; the first few.</summary>
    /// <param name="history">Its events say which nodes lost their copies.</param>
    /// <param name="lagMax">How many nodes may lag behind an acknowledged write.</param>
    /// <param name="writes">Writes that were acknowledged with <c>+applied</c>.</param>
    /// <param name="reads">Reads, and the node whose copy each saw.</param>
    public static IReadOnlyList<string> Complaints(History history, int lagMax, IEnumerable<Operation> writes, IEnumerable<(Operation Read, string Node)> reads)
    {
        var views = reads.GroupBy(read => read.Node, read => read.Read).Select(node => new View(node.Key, history.Events, node)).ToList();
        return
        [
            .. writes.Select(write => (Write: write, Behind: views.Select(view => (view.Node, Read: view.Behind(write))).Where(view => view.Read is not null).ToList()))
                .Where(write => write.Behind.Count > lagMax)
                .Select(write => $"{string.Join(" and ", write.Behind.Select(view => $"{view.Node} in {view.Read}"))} did not show {write.Write}, {Words}")
                .Take(ShownMax),
        ];
    }

    /// <summary>What one node showed in the course of time.</summary>
    private sealed class View
    {
        private readonly Operation[] _reads;
        private readonly List<long> _starts;

        // What makes a node go back: a new leader anywhere, a start of its own.
        private readonly List<long> _leaders;
        private readonly List<long> _restarts;

        public View(string node, IReadOnlyList<HistoryEvent> events, IEnumerable<Operation> reads)
        {
            Node = node;
            _reads = [.. reads.OrderBy(read => read.StartNanoseconds)];
            _starts = [.. _reads.Select(read => read.StartNanoseconds)];
            _leaders = [.. events.OfType<HistoryEvent.Leader>().Select(leader => leader.AtNanoseconds).Order()];
            _restarts =
            [
                .. events.OfType<HistoryEvent.Fault>()
                    .Where(fault => Restarts.Contains(fault.Kind) && (fault.Target is null || node == $"n{fault.Target}"))
                    .Select(fault => fault.AtNanoseconds)
                    .Order(),
            ];
        }

        public string Node { get; }

        /// <summary>A read that began after the write was acknowledged and stands before it; null if there is none.</summary>
        public Operation? Behind(Operation write)
        {
            var until = Math.Min(Next(_leaders, write.StartNanoseconds) - NanosecondsWithoutLeader, Next(_restarts, write.StartNanoseconds));
            for (var i = After(_starts, write.EndNanoseconds!.Value); i < _reads.Length && _reads[i].EndNanoseconds < until; i++)
                if (_reads[i].Position!.Value.Index < write.Position!.Value.Index)
                    return _reads[i];
            return null;
        }

        private static long Next(List<long> times, long time) => After(times, time) is var next && next < times.Count ? times[next] : long.MaxValue;

        // The first that is later. Clocks are read in whole nanoseconds: what began in the same one counts as before.
        private static int After(List<long> times, long time)
        {
            var found = times.BinarySearch(time + 1);
            return found < 0 ? ~found : found;
        }
    }
}
