using System.Globalization;
using Polygraph.Nemesis.Clusters;
using Polygraph.Nemesis.Running;

namespace Polygraph.Nemesis;

/// <summary>Runs every negative control on one cluster: what must be found has to be found.</summary>
internal static class ControlRun
{
    /// <summary>Chance may be kind to a weak promise once, and is not three times.</summary>
    private const int TriesMax = 3;

    /// <summary>Prints a line for each; 0 if all were found.</summary>
    public static async Task<int> RunAsync(TextWriter output)
    {
        var root = Directory.CreateTempSubdirectory("polygraph-nemesis-").FullName;
        try
        {
            using var cluster = await AttackedCluster.StartAsync(root, nodes: 3, smallDisks: false).ConfigureAwait(false);
            var missed = 0;
            for (var number = 0; number < Control.All.Count; number++)
                missed += await IsFoundAsync(cluster, Control.All[number], number, root, output).ConfigureAwait(false) ? 0 : 1;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Control.All.Count - missed} of {Control.All.Count} negative controls were found"));
            return missed == 0 ? 0 : 1;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task<bool> IsFoundAsync(AttackedCluster cluster, Control control, int number, string root, TextWriter output)
    {
        for (var attempt = 1; ; attempt++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"c{number}-{attempt}");
            var result = await HistoryRun.RunAsync(cluster, control.Plan((ulong)attempt), name, Path.Combine(root, name + ".jsonl")).ConfigureAwait(false);
            var isFound = control.IsFoundIn(result);
            if (!isFound && attempt < TriesMax)
                continue;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{(isFound ? "found" : "MISSED")} at try {attempt}: {control.Workload} {control.Asked.Ack}/{control.Asked.Read} judged as {control.Claimed.Ack}/{control.Claimed.Read}, \"{control.Finds}\" ({control.Weakness})"));
            return isFound;
        }
    }
}
