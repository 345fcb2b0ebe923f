using Polygraph.Nemesis.Clusters;
using Polygraph.Nemesis.Histories;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Running;

/// <summary>What the clients of a history share. They ask at one pair of levels, and conclude from the answers what the other promises: the same, but for negative controls.</summary>
internal sealed record ClientScene(
    AttackedCluster Cluster, string Database, IWorkload Workload, Levels Levels, Levels Claimed, Recording Recording, Observations Observations);
