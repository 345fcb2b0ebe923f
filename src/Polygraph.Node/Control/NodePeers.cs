using Microsoft.Extensions.Logging;
using Polygraph.Node.Groups;
using Polygraph.Node.Libraries;
using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Transport;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Control;

/// <summary>Stands between the transport and everything that listens to it: hands frames to groups and calls, connections to formation.</summary>
internal sealed class NodePeers(StatusBoard status, LibraryCensus libraries, ILogger logger) : IPeerEvents, IPeerSender
{
    private IPeerTransport? _transport;
    private PeerCalls? _calls;
    private Formation? _formation;
    private DatabaseRegistry? _databases;
    private TransactionHost? _transactions;

    /// <summary>Completes the circle; before the transport starts.</summary>
    public void Attach(IPeerTransport transport, PeerCalls calls, Formation formation, DatabaseRegistry databases, TransactionHost transactions)
    {
        _transport = transport;
        _calls = calls;
        _formation = formation;
        _databases = databases;
        _transactions = transactions;
    }

    public void Send(NodeId to, PeerFrame frame) => _transport!.Send(to, frame);

    public void OnConnected(NodeId node, Hello hello)
    {
        ControlLog.PeerConnected(logger, node, hello.HttpAddress, hello.ProcessId);
        libraries.Heard(node, hello.Sqlite);
        status.Connected(node, hello);
        _formation!.OnConnected(new MemberIdentity(node, hello.Incarnation), hello.Cluster);
    }

    public void OnFrame(NodeId from, PeerFrame frame)
    {
        switch (frame)
        {
            // A group that is not open here yet, or no more: the sender tries again, as after a lost message.
            case PeerFrame.Group group: _databases!.Find(group.Id)?.Receive(from, group.Message); break;
            case PeerFrame.Forward forward: _calls!.OnForward(from, forward); break;
            case PeerFrame.ForwardReply reply: _calls!.OnReply(from, reply); break;
            case PeerFrame.ClusterFormed formed: _formation!.OnFormed(from, new FormedCluster(formed.Cluster, formed.Members)); break;
            default: throw new InvariantViolationException($"No handler for frame {frame.GetType().Name}.");
        }
    }

    public void OnDisconnected(NodeId node, string reason)
    {
        ControlLog.PeerDisconnected(logger, node, reason);
        status.Disconnected(node);
        _calls!.OnDisconnected(node);
        _transactions!.OnDisconnected(node);
        foreach (var replica in _databases!.All())
            replica.NoteDisconnected(node);
        _formation!.OnDisconnected(node);
    }

    public void OnRefused(NodeId node, Welcome welcome, NodeId refusedBy) => _formation!.OnRefused(node, welcome, refusedBy);
}
