using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Clusters;
using Polygraph.Nemesis.Histories;

namespace Polygraph.Nemesis.Running;

/// <summary>Asks every node, again and again, whether it leads, and records each leadership once. Two leaders of one term are a broken promise.</summary>
internal sealed class LeaderWatch(AttackedCluster cluster, string database, Recording recording)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    // Guarded by _gate: who was seen to lead in each term.
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, string> _leaders = [];
    private readonly List<string> _complaints = [];
    private TimeSpan _longestStall;

    /// <summary>Terms in which two nodes said that they lead.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_gate)
                return [.. _complaints];
        }
    }

    /// <summary>The leader of the newest term that was seen to have one.</summary>
    public (ulong Term, string Node)? Newest
    {
        get
        {
            lock (_gate)
                return _leaders.Count == 0 ? null : (_leaders.Keys.Max(), _leaders[_leaders.Keys.Max()]);
        }
    }

    /// <summary>
    /// How late a timer of this process came at most: the machine stood still so long, for the nodes as well. What takes too long meanwhile says nothing about
    /// them.
    /// </summary>
    public TimeSpan LongestStall
    {
        get
        {
            lock (_gate)
                return _longestStall;
        }
    }

    public Task RunAsync(CancellationToken stopping) => Task.WhenAll(cluster.Nodes.Select(node => WatchAsync(node, stopping)));

    private async Task WatchAsync(AttackedNode node, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            if (await DatabaseStatus.AskAsync(node.Client, database).ConfigureAwait(false) is { } status && status.Leads(node.Id))
                Note(node, status.Term);
            var slept = TimeProvider.System.GetTimestamp();
            await Task.WhenAny(Task.Delay(LookEvery, stopping)).ConfigureAwait(false);
            NoteStall(TimeProvider.System.GetElapsedTime(slept) - LookEvery);
        }
    }

    private void NoteStall(TimeSpan late)
    {
        lock (_gate)
            _longestStall = late > _longestStall ? late : _longestStall;
    }

    private void Note(AttackedNode node, ulong term)
    {
        lock (_gate)
        {
            if (_leaders.TryGetValue(term, out var known))
            {
                if (known != node.Id)
                    _complaints.Add($"{known} and {node.Id} both lead in term {term}");
                return;
            }

            _leaders.Add(term, node.Id);
        }

        recording.Add(new HistoryEvent.Leader(node.Number, (long)term) { AtNanoseconds = recording.Now });
    }
}
