using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Polygraph.Node.Http;

/// <summary><c>GET /metrics</c>: what this node knows of the replicas, and what it answered to its clients.</summary>
internal sealed class MetricsEndpoint(
    IClusterGateway gateway, InFlight inFlight, RequestMetrics requests, HranaStreams streams, IReadOnlyList<IMetricsSource> sources)
{
    public Task AnswerAsync(HttpContext context)
    {
        _ = new Query(context);
        var text = new MetricsText();
        var cluster = gateway.DescribeCluster();
        WriteReplication(text, cluster);
        WriteReplicas(text, cluster);
        WriteRequests(text);
        foreach (var source in sources)
            source.WriteTo(text);
        context.Response.ContentType = MetricsText.ContentType;
        return context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }

    private void WriteReplication(MetricsText text, ClusterReport cluster)
    {
        text.Gauge("polygraph_node_up", "Whether this node sees the node: 1 up, 0 suspect or down.");
        foreach (var node in cluster.Nodes)
            text.Sample(node.State == NodeState.Up ? 1 : 0, ("node", node.Id));
        text.Gauge("polygraph_term", "The latest term that this node knows.");
        foreach (var database in cluster.Databases)
            text.Sample(database.Term, ("database", database.Name));
        text.Gauge("polygraph_is_leader", "Whether this node leads the database.");
        foreach (var database in cluster.Databases)
            text.Sample(database.Leader == gateway.Self.Value ? 1 : 0, ("database", database.Name));
        text.Gauge("polygraph_commit_index", "Everything up to this log index is committed, as far as this node knows.");
        foreach (var database in cluster.Databases)
            if (Own(database)?.Committed is { } committed)
                text.Sample(committed, ("database", database.Name));
    }

    private static void WriteReplicas(MetricsText text, ClusterReport cluster)
    {
        text.Gauge("polygraph_replication_lag_entries", "Log entries between the newest that any replica is known to hold and this stage.");
        foreach (var database in cluster.Databases)
            foreach (var replica in database.Replicas)
                WriteLag(text, database, replica);
        text.Gauge("polygraph_replica_staleness_seconds", "Upper bound on the age of what the replica shows; absent if unknown.");
        foreach (var (database, replica) in Replicas(cluster))
            if (replica.StalenessMilliseconds is { } staleness)
                text.Sample(staleness / 1000, ("database", database.Name), ("replica", replica.Node));
        text.Gauge("polygraph_replica_serving", "Whether the replica serves.");
        foreach (var (database, replica) in Replicas(cluster))
            text.Sample(replica.Serving ? 1 : 0, ("database", database.Name), ("replica", replica.Node), ("role", replica.Role));
    }

    private static void WriteLag(MetricsText text, DatabaseReport database, ReplicaReport replica)
    {
        var newest = database.Replicas.Max(other => other.Appended);
        foreach (var (stage, index) in (ReadOnlySpan<(string, ulong?)>)
            [("appended", replica.Appended), ("durable", replica.Durable), ("committed", replica.Committed), ("applied", replica.Applied)])
        {
            if (index is { } reached && newest is { } head)
                text.Sample(head - Math.Min(head, reached), ("database", database.Name), ("replica", replica.Node), ("stage", stage));
        }
    }

    private void WriteRequests(MetricsText text)
    {
        text.Counter("polygraph_requests_total", "Answers by HTTP status.");
        foreach (var (status, count) in requests.Answers())
            text.Sample(count, ("code", status.ToString(CultureInfo.InvariantCulture)));
        text.Gauge("polygraph_requests_in_flight", "Requests that run or wait.").Sample(inFlight.Requests);
        text.Gauge("polygraph_hrana_streams", "Hrana streams that wait for their next pipeline.").Sample(streams.Count);
        text.Counter("polygraph_durability_degraded_total", "Writes answered with fewer copies than were asked for, as their policy allows.")
            .Sample(requests.Degraded);
        text.Counter("polygraph_read_staleness_unknown_total", "Reads whose staleness was unknown.").Sample(requests.StalenessUnknown);
        WriteStaleness(text);
    }

    private void WriteStaleness(MetricsText text)
    {
        text.Histogram("polygraph_read_staleness_seconds", "The staleness bound that reads were told.");
        var count = 0L;
        for (var i = 0; i < RequestMetrics.StalenessBounds.Length; i++)
        {
            count += requests.StalenessBucket(i);
            text.Sample("_bucket", count, ("le", RequestMetrics.StalenessBounds[i].ToString(CultureInfo.InvariantCulture)));
        }

        count += requests.StalenessBucket(RequestMetrics.StalenessBounds.Length);
        text.Sample("_bucket", count, ("le", "+Inf")).Sample("_sum", requests.StalenessSeconds).Sample("_count", count);
    }

    private ReplicaReport? Own(DatabaseReport database) => database.Replicas.FirstOrDefault(replica => replica.Node == gateway.Self.Value);

    private static IEnumerable<(DatabaseReport Database, ReplicaReport Replica)> Replicas(ClusterReport cluster)
        => cluster.Databases.SelectMany(database => database.Replicas.Select(replica => (database, replica)));
}
