using Polygraph.Protocol;

namespace Polygraph.Node.Control;

/// <summary>What this node knows of the cluster it belongs to. Written once, when the cluster is formed; read by any thread.</summary>
internal sealed class ClusterIdentity
{
    private volatile FormedCluster? _formed;

    /// <summary>The cluster; none while it is being formed.</summary>
    public ClusterId Cluster => _formed?.Cluster ?? ClusterId.None;

    public FormedCluster? Formed
    {
        get => _formed;
        set => _formed = value;
    }

    /// <summary>Why this node and another do not come together, if one refused the other; the last such reason.</summary>
    public string? Trouble { get; set; }
}
