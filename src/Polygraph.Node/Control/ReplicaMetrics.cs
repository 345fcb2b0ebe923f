using Polygraph.Node.Http;
using Polygraph.Node.Reseeding;

namespace Polygraph.Node.Control;

/// <summary>What the replicas of this node take, and how often one had to be made anew.</summary>
internal sealed class ReplicaMetrics(DatabaseRegistry databases, Reseeder reseeder, SnapshotSources snapshots, SnapshotFetcher fetcher) : IMetricsSource
{
    public void WriteTo(MetricsText text)
    {
        var replicas = databases.All().ToList();
        text.Gauge("polygraph_log_bytes", "Bytes in use of the replication log's segments on this node.");
        foreach (var replica in replicas)
            text.Sample(replica.LogBytes, ("database", replica.Database.Name));
        text.Gauge("polygraph_log_first_index", "The oldest entry that this node's log still has; whoever needs an older one gets a snapshot.");
        foreach (var replica in replicas)
            text.Sample(replica.FirstInLog.Value, ("database", replica.Database.Name));
        text.Gauge("polygraph_cut_bytes", "Files of entries that a new leader's history lacked, kept until somebody removes them.");
        foreach (var replica in replicas)
            text.Sample(replica.CutBytes, ("database", replica.Database.Name));
        text.Counter("polygraph_reseeds_total", "How often this node's replica was given a new copy from another node.");
        foreach (var replica in replicas)
            text.Sample(reseeder.CountOf(replica.Database.Id), ("database", replica.Database.Name));
        text.Counter("polygraph_snapshot_bytes_total", "Bytes of snapshots sent to other nodes and received from them.");
        text.Sample(snapshots.BytesSent, ("direction", "sent"));
        text.Sample(fetcher.BytesReceived, ("direction", "received"));
    }
}
