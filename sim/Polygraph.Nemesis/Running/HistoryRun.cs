using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;
using Polygraph.Nemesis.Clusters;
using Polygraph.Nemesis.Faults;
using Polygraph.Nemesis.Histories;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Running;

/// <summary>
/// One history on a cluster: a database of its own, clients and faults at the same time, then everything is healed, the cluster has to become well, and
/// every node is read.
/// </summary>
internal sealed class HistoryRun
{
    /// <summary>A damaged replica fetches copies at growing distances, up to half a minute.</summary>
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromSeconds(90);

    /// <summary>A machine that stood still for longer than that is no place to ask whether nodes are in time.</summary>
    private static readonly TimeSpan StallMax = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FinalPatience = TimeSpan.FromSeconds(20);

    private readonly AttackedCluster _cluster;
    private readonly HistoryPlan _plan;
    private readonly string _database;
    private readonly IWorkload _workload;
    private readonly Recording _recording;
    private readonly Observations _observations;
    private readonly LeaderWatch _watch;
    private readonly Dice _dice;
    private readonly List<string> _complaints = [];
    private readonly List<string> _lateness = [];

    private HistoryRun(AttackedCluster cluster, HistoryPlan plan, string database, string path)
    {
        (_cluster, _plan, _database) = (cluster, plan, database);
        _workload = plan.Create();
        _dice = new Dice(plan.Seed);
        _recording = new Recording(path, new HistoryHeader
        {
            Workload = _workload.Kind,
            AckLevel = plan.Claimed.AckName,
            ReadLevel = plan.Claimed.Read,
            Seed = (long)plan.Seed,
            Faults = plan.Faults,
            IsLeaderChangeMeant = plan.Faults.Intersect(FaultSchedule.AgainstLeaders).Any(),
            Accounts = _workload.Accounts,
        });
        _observations = new Observations(cluster.Nodes.Count);
        _watch = new LeaderWatch(cluster, database, _recording);
    }

    /// <summary>Runs a history to its end and judges it.</summary>
    /// <param name="cluster">Well; it is well again afterwards if the result says so.</param>
    /// <param name="plan">What to run.</param>
    /// <param name="database">A name that is free.</param>
    /// <param name="path">Where the history is written.</param>
    public static async Task<HistoryResult> RunAsync(AttackedCluster cluster, HistoryPlan plan, string database, string path)
    {
        var run = new HistoryRun(cluster, plan, database, path);
        using (run._recording)
            return await run.RunAsync().ConfigureAwait(false);
    }

    /// <summary>Nodes that need not show a write that was acknowledged as visible.</summary>
    private int LagMax => _cluster.Nodes.Count - ReceiptRules.Copies(_plan.Claimed.Ack, _cluster.Nodes.Count);

    private async Task<HistoryResult> RunAsync()
    {
        await PrepareAsync().ConfigureAwait(false);
        using var stopping = new CancellationTokenSource();
        using var done = new CancellationTokenSource();
        var watching = _watch.RunAsync(done.Token);
        var nemesis = new NemesisTask(new FaultSchedule(_cluster, _database, _plan.Faults, _dice.Fork()), _cluster, _watch, _recording, _dice.Fork());
        var attacking = _plan.Faults.Count == 0 ? Task.CompletedTask : nemesis.RunAsync(_recording.Header.IsLeaderChangeMeant, stopping.Token);
        var clients = Task.WhenAll(CreateClients().Select(client => client.RunAsync(_plan.Length * _plan.Clients / _plan.Operations, stopping.Token)));
        await LastAsync(attacking, clients).ConfigureAwait(false);
        await stopping.CancelAsync().ConfigureAwait(false);
        await attacking.ConfigureAwait(false);
        _cluster.HealAll();
        await clients.ConfigureAwait(false);
        var isWell = await FinishAsync().ConfigureAwait(false);
        await done.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        _recording.End();
        return Judge(nemesis.Done, isWell);
    }

    private async Task PrepareAsync()
    {
        await _cluster.CreateDatabaseAsync(_database).ConfigureAwait(false);
        var call = new SqlCall(_workload.Schema, Writes: true) { Ack = "all+applied" };
        if (await _cluster.Nodes[0].Client.SqlAsync(_database, call, FinalPatience).ConfigureAwait(false) is not Exchange.Answered { Status: 200 })
            throw new ClusterIsUnwellException($"The tables of {_database} were not created.");
    }

    private IEnumerable<Client> CreateClients()
    {
        var scene = new ClientScene(_cluster, _database, _workload, _plan.Levels, _plan.Claimed, _recording, _observations);
        var waitsForAll = _plan.Levels.Ack.StartsWith("all", StringComparison.Ordinal);
        for (var place = 0; place < _plan.Clients; place++)
        {
            var habits = new ClientHabits(
                AttemptsMax: place % 2 == 0 ? 1 : 4,
                Roams: _plan.Workload is "session" or "prefix" || place % 4 == 3,
                Patience: _dice.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)),
                AckTimeout: waitsForAll || place % 3 == 0 ? $"{_dice.Between(300, 1500)}ms" : null);
            yield return new Client(scene, place, habits, _dice.Fork());
        }
    }

    /// <summary>As long as there are operations left to do, but not for ever on a cluster that is away most of the time.</summary>
    private async Task LastAsync(params Task[] running)
    {
        var lookEvery = TimeSpan.FromMilliseconds(100);
        var started = TimeProvider.System.GetTimestamp();
        while (_recording.Count < _plan.Operations && TimeProvider.System.GetElapsedTime(started) < _plan.Length * 2)
        {
            foreach (var task in running.Where(task => task.IsFaulted))
                await task.ConfigureAwait(false);
            await Task.Delay(lookEvery).ConfigureAwait(false);
        }
    }

    private async Task<bool> FinishAsync()
    {
        try
        {
            await _cluster.WaitUntilWellAsync(_database, RecoveryLimit).ConfigureAwait(false);
            foreach (var node in _cluster.Nodes)
                foreach (var level in new[] { "linearizable", "local" })
                    await ReadAllAsync(node, level).ConfigureAwait(false);
            await VerifyAsync().ConfigureAwait(false);
            return true;
        }
        catch (ClusterIsUnwellException unwell)
        {
            _lateness.Add(unwell.Message);
            return false;
        }
    }

    private async Task ReadAllAsync(AttackedNode node, string level)
    {
        foreach (var step in _workload.FinalReads(level))
        {
            var start = _recording.Now;
            var exchange = await node.Client.SqlAsync(_database, step.Call, FinalPatience).ConfigureAwait(false);
            var ending = Ending.Of(exchange, step, null, _plan.Claimed);
            if (ending.Type != OperationType.Ok)
                throw new ClusterIsUnwellException($"A last read of {node.Id} at {level} was answered with {exchange}");
            _recording.Add(ending.ToOperation(step) with
            {
                Client = node.Number,
                StartNanoseconds = start,
                EndNanoseconds = _recording.Now,
                Node = node.Number,
                IsFinal = true,
                Position = Client.PositionOf(exchange as Exchange.Answered),
                Session = _workload.Kind == Workload.Session ? $"final-{node.Id}-{level}" : null,
            });
        }
    }

    private async Task VerifyAsync()
    {
        var answer = await _cluster.Nodes[0].Client.PostJsonAsync($"/v1/db/{_database}/verify?timeout=15s", "{}", FinalPatience).ConfigureAwait(false);
        if (answer is not Exchange.Answered { Status: 200 } verified)
            _lateness.Add($"The copies were not compared: {answer}");
        else if (!verified.Body.GetProperty("equal").GetBoolean())
            _complaints.Add($"The copies are not equal by their own account: {verified.Body}");
    }

    private HistoryResult Judge(IReadOnlyList<FaultRecord> faults, bool isWell)
    {
        var history = _recording.ToHistory();
        string? stall = null;
        if (_watch.LongestStall > StallMax && _lateness.Count > 0)
            stall = $"the machine stood still for {_watch.LongestStall.TotalSeconds:0.0} s, so this is not held against the nodes: {_lateness[0]}";
        else
            _complaints.AddRange(_lateness);
        _complaints.AddRange(_watch.Complaints);
        _complaints.AddRange(_observations.Complaints.Distinct().Take(5));
        if (_plan.Claimed.AreAcksDurable)
            _complaints.AddRange(PositionCheck.Complaints(history, _observations.BoundedReads));
        _complaints.AddRange(AppliedCheck.Complaints(history, LagMax, _observations.AppliedWrites, _observations.Reads));
        var judgement = Judgement.Of(history);
        return new HistoryResult(_plan, history, judgement, faults, _observations.Endings, _observations.Degraded, _complaints, isWell, stall, _recording.Path);
    }
}
