using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Groups;

/// <summary>What a group needs of the transport: send and forget.</summary>
internal interface IPeerSender
{
    /// <summary>Never blocks; what cannot be sent is dropped.</summary>
    void Send(NodeId to, PeerFrame frame);
}
