namespace Polygraph.Protocol.Tests.Consensus;

/// <summary>Every order of connections, messages, disk writes, crashes and lost disks at the first start of three nodes.</summary>
public sealed class FormationExplorationTests
{
    [Fact]
    public void With_crashes_and_kept_disks_there_is_one_cluster_and_it_is_always_completed()
    {
        var states = Explore(crashesMax: 2, wipesMax: 0, (model, path) =>
        {
            Assert.True(model.Durable.Where(formed => formed is not null).Select(formed => formed!.Cluster).Distinct().Count() <= 1);
            RunToTheEnd(model);
            Assert.All(model.Durable, formed => Assert.True(formed is not null && formed.IsSameAs(model.Durable[0]!), Text(path)));
        });

        // Fewer would mean that the exploration lost its way.
        Assert.InRange(states, 1_000, 1_000_000);
    }

    [Fact]
    public void Whatever_disk_is_lost_no_data_directory_is_in_two_clusters_and_no_cluster_takes_a_stranger()
    {
        var states = Explore(crashesMax: 1, wipesMax: 1, (model, path) =>
        {
            RunToTheEnd(model);
            var withMajority = new List<ClusterId>();
            for (var node = 0; node < FormationModel.Nodes; node++)
            {
                if (model.Durable[node] is not { } formed)
                    continue;
                Assert.True(formed.Includes(model.Identity(node)), Text(path));
                if (model.Durable.Count(other => other is not null && other.IsSameAs(formed)) > FormationModel.Nodes / 2)
                    withMajority.Add(formed.Cluster);
            }

            Assert.True(withMajority.Distinct().Count() <= 1, Text(path));
        });

        Assert.InRange(states, 1_000, 1_000_000);
    }

    /// <summary>Visits each state once, breadth first, and gives <paramref name="check"/> a model of its own to play with.</summary>
    private static int Explore(int crashesMax, int wipesMax, Action<FormationModel, FormationStep[]> check)
    {
        var seen = new HashSet<string>();
        var open = new Queue<FormationStep[]>();
        open.Enqueue([]);
        while (open.TryDequeue(out var path))
        {
            var model = new FormationModel(crashesMax, wipesMax, path);
            if (!seen.Add(model.Fingerprint()))
                continue;
            foreach (var step in model.Next(withFaults: true))
                open.Enqueue([.. path, step]);
            check(model, path);
        }

        return seen.Count;
    }

    /// <summary>Without further faults, everything that can happen does.</summary>
    private static void RunToTheEnd(FormationModel model)
    {
        const int StepsMax = 100;
        for (var steps = 0; model.Next(withFaults: false).FirstOrDefault() is var step && model.Next(withFaults: false).Any(); steps++)
        {
            Assert.True(steps < StepsMax, "formation comes to an end");
            model.Apply(step);
        }
    }

    private static string Text(FormationStep[] path) => string.Join(" ", path.Select(step => $"{step.Kind}({step.Node},{step.Other})"));
}
