using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Identity;
using Polygraph.Protocol;
using Polygraph.Transport;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Control;

/// <summary>Carries out <see cref="ClusterFormation"/>: one lock stands for its one owner, and what it persists is on disk before it goes on.</summary>
internal sealed class Formation
{
    private readonly Lock _gate = new();
    private readonly ClusterFormation _core;
    private readonly DataDirectory _directory;
    private readonly ClusterIdentity _identity;
    private readonly IPeerTransport _transport;
    private readonly LocalIdentity _local;
    private readonly Action _formed;
    private readonly ILogger _logger;
    private readonly HashSet<(NodeId, string)> _reported = [];

    public Formation(
        DataDirectory directory, LocalIdentity local, ClusterIdentity identity, IPeerTransport transport, Action formed, ILogger logger)
    {
        _directory = directory;
        _local = local;
        _identity = identity;
        _transport = transport;
        _formed = formed;
        _logger = logger;
        var candidate = new ClusterId(BitConverter.ToUInt128(RandomNumberGenerator.GetBytes(16)));
        _core = new ClusterFormation(directory.Self, local.PeerSet, candidate, directory.Formed);
    }

    /// <summary>Completes with the reason why this node can never take part as it is: it must end and say so.</summary>
    public TaskCompletionSource<NodeStartException> Hopeless { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Start() => Step(new FormationInput.Started());

    public void OnConnected(MemberIdentity peer, ClusterId cluster) => Step(new FormationInput.PeerSeen(peer, cluster));

    public void OnDisconnected(NodeId peer) => Step(new FormationInput.PeerLost(peer));

    public void OnFormed(NodeId from, FormedCluster formed) => Step(new FormationInput.FormedReceived(from, formed));

    public void OnRefused(NodeId node, Welcome welcome, NodeId refusedBy)
    {
        var reason = welcome.Reason ?? "no reason was given";
        lock (_gate)
        {
            // Tried again about once a second: said once.
            if (!_reported.Add((node, welcome.Code!)))
                return;
        }

        _identity.Trouble = $"{node}: {reason}";
        ControlLog.PeerRefused(_logger, refusedBy, node, welcome.Code!, reason);
        if (_identity.Formed is not null)
            return;
        if (welcome.Code == "WRONG_INCARNATION" && refusedBy != _local.Node)
            Hopeless.TrySetResult(new NodeStartException(
                reason,
                "Put the node's own data directory back. Re-admitting a node with an empty one is not in this version; the other nodes go on without it."));
    }

    private void Step(FormationInput input)
    {
        lock (_gate)
        {
            var effects = new Queue<FormationInput>([input]);
            while (effects.TryDequeue(out var next))
            {
                var wanted = new List<FormationEffect>();
                _core.Step(next, wanted);
                foreach (var effect in wanted)
                    if (CarryOut(effect) is { } answer)
                        effects.Enqueue(answer);
            }
        }
    }

    private FormationInput.Persisted? CarryOut(FormationEffect effect)
    {
        switch (effect)
        {
            case FormationEffect.Persist persist:
                _directory.Save(persist.Formed);
                return new FormationInput.Persisted();
            case FormationEffect.Tell tell:
                _transport.Send(tell.To, new PeerFrame.ClusterFormed(tell.Formed.Cluster, tell.Formed.Members));
                return null;
            case FormationEffect.Complete complete:
                _identity.Formed = complete.Formed;
                _transport.UpdateIdentity(_local with { Formed = complete.Formed });
                ControlLog.ClusterFormed(_logger, _local.Node, _local.Incarnation, complete.Formed.Cluster);
                _formed();
                return null;
            case FormationEffect.Refuse refuse:
                ControlLog.FormationRefused(_logger, refuse.Peer, refuse.Reason);
                return null;
            default:
                throw new InvariantViolationException($"No handler for formation effect {effect.GetType().Name}.");
        }
    }
}
