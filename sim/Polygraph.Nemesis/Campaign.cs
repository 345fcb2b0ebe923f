using System.Globalization;
using Polygraph.Nemesis.Clusters;
using Polygraph.Nemesis.Running;

namespace Polygraph.Nemesis;

/// <summary>History after history, on one cluster for as long as it becomes well again after each.</summary>
internal sealed class Campaign(Options options, TextWriter output, CancellationToken interrupted) : IDisposable
{
    /// <summary>Histories on one cluster: logs and processes grow old enough to be interesting, and a broken cluster spoils few.</summary>
    private const int HistoriesOfACluster = 8;

    private readonly string _root = options.Keep ?? Directory.CreateTempSubdirectory("polygraph-nemesis-").FullName;
    private readonly Report _report = new(output, options);
    private AttackedCluster? _cluster;
    private int _clusters;
    private int _historiesOfThis;

    /// <summary>Runs until the time is over, the histories are all run, or it is interrupted; 0, 1 or 3 as the exit code.</summary>
    public async Task<int> RunAsync()
    {
        Directory.CreateDirectory(_root);
        var smallDisks = options.Faults.Contains("disk") && SmallDisk.Hindrance is null;
        if (options.Faults.Contains("disk") && !smallDisks)
            output.WriteLine($"No disk becomes full: {SmallDisk.Hindrance}.");
        var started = TimeProvider.System.GetTimestamp();
        for (var number = options.First; number - options.First < (options.Histories ?? int.MaxValue); number++)
        {
            if (interrupted.IsCancellationRequested || TimeProvider.System.GetElapsedTime(started).TotalMinutes >= options.Minutes)
                break;
            await RunAsync(options.Plan(number), number, smallDisks).ConfigureAwait(false);
        }

        EndCluster();
        return _report.Finish();
    }

    public void Dispose()
    {
        EndCluster();
        if (options.Keep is not null)
            return;
        if (_report.HasAnomalies)
            output.WriteLine($"Histories, logs and files of the nodes are left in {_root}");
        else
            Directory.Delete(_root, recursive: true);
    }

    private async Task RunAsync(HistoryPlan plan, int number, bool smallDisks)
    {
        try
        {
            if (_cluster is null)
            {
                _historiesOfThis = 0;
                _cluster = await AttackedCluster.StartAsync(Path.Combine(_root, $"cluster-{++_clusters}"), options.Nodes, smallDisks).ConfigureAwait(false);
            }

            var name = string.Create(CultureInfo.InvariantCulture, $"h{number}");
            var result = await HistoryRun.RunAsync(_cluster, plan, name, Path.Combine(_root, $"{name}-{plan.Workload}.jsonl")).ConfigureAwait(false);
            _report.Add(number, result);
            if (result.IsAnomalous)
                _cluster.KeepDisks();
            if (result.IsAnomalous || !result.IsWell || ++_historiesOfThis == HistoriesOfACluster)
                EndCluster();
            else
                await _cluster.DropDatabaseAsync(name).ConfigureAwait(false);
            if (!result.IsAnomalous && options.Keep is null)
                File.Delete(result.Path);
        }
        catch (ClusterIsUnwellException unwell)
        {
            _report.AddUnwell(number, plan, unwell.Message);
            _cluster?.KeepDisks();
            EndCluster();
        }
    }

    private void EndCluster()
    {
        _cluster?.Dispose();
        _cluster = null;
    }
}
