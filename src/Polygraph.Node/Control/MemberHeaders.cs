using Microsoft.AspNetCore.Http;
using Polygraph.Node.Http;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Control;

/// <summary>How one node shows another, over HTTP, that it belongs to the cluster. As at the peer port: it keeps mistakes out, not attackers.</summary>
internal static class MemberHeaders
{
    public const string Cluster = "Polygraph-Cluster-Id";
    public const string Node = "Polygraph-Node";
    public const string Incarnation = "Polygraph-Incarnation";

    public static void Write(HttpRequestMessage request, FormedCluster cluster, NodeId self)
    {
        request.Headers.Add(Cluster, cluster.Cluster.ToString());
        request.Headers.Add(Node, self.Value);
        request.Headers.Add(Incarnation, cluster.Members.Single(member => member.Id == self).Incarnation.ToString());
    }

    /// <summary>Refuses whoever is no node of this cluster with the data directory that the cluster was formed with.</summary>
    public static void Check(HttpRequest request, ClusterIdentity identity)
    {
        var isMember = identity.Formed is { } formed
            && request.Headers[Cluster] == formed.Cluster.ToString()
            && formed.Members.Any(member => request.Headers[Node] == member.Id.Value && request.Headers[Incarnation] == member.Incarnation.ToString());
        if (!isMember)
            throw new RequestRefusedException(
                new SqlProblem(403, "NOT_A_MEMBER", "The request is refused", "Only nodes of this cluster may ask for this.", Outcome.NotApplied));
    }
}
