using Polygraph.Nemesis.Clusters;
using Polygraph.Nemesis.Histories;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Running;

/// <summary>What the clients of a history share.</summary>
internal sealed record ClientScene(
    AttackedCluster Cluster, string Database, IWorkload Workload, Levels Levels, Recording Recording, Observations Observations);
