using System.Net.Sockets;
using System.Text;
using Polygraph.Fuzz.Drawing;
using Polygraph.Fuzz.Formats;
using Polygraph.Fuzz.Formats.Wire;
using Polygraph.Node.Routing;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Fuzz.Live;

/// <summary>
/// What a stranger can send to the peer port, and what a member can send whose memory or program is broken. A member that lies in well-formed
/// protocol messages is not tried: no protocol of this kind stands that.
/// </summary>
internal sealed class PeerAttack(Hello member)
{
    /// <summary>A stranger's first bytes.</summary>
    public static byte[] DrawStranger(Dice dice)
    {
        if (dice.Below(10) == 0)
            return dice.Pick(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"), dice.Fill(new byte[dice.Below(70_000)]), [.. "PolyPeer"u8, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
        var hello = AllFormats.Find("peer-hello")!;
        var valid = hello.Draw(dice);
        return [.. dice.Below(4) == 0 ? valid : hello.Mutate(dice, valid, valid), .. dice.Coin() ? AllFormats.Find("peer-welcome")!.Draw(dice) : []];
    }

    /// <summary>What a broken member sends after its handshake: calls with damaged content, and frames whose damage the checksum shows.</summary>
    public static byte[] DrawMember(Dice dice)
    {
        var bytes = new List<byte>();
        for (var calls = dice.Below(4); calls > 0; calls--)
            bytes.AddRange(Encode(new PeerFrame.Forward((ulong)dice.Below(3), Call(dice))));
        var frame = Encode(dice.Coin() ? new PeerFrame.Forward(1, Call(dice)) : new PeerFrame.Group(new(99_999), new Protocol.Messages.VoteReply(new(1), false)));
        frame[dice.Below(frame.Length)] ^= (byte)(1 << dice.Below(8));
        bytes.AddRange(frame);
        bytes.AddRange(dice.Bytes(400));
        return [.. bytes];
    }

    /// <summary>Takes the member's place; false if the node does not want it now, as while the last connection is being closed.</summary>
    public bool Introduce(Connection connection)
    {
        try
        {
            connection.Send(Handshake.Framed(writer => HelloCodec.Encode(member, writer)));
            ReceiveMessage(connection);
            var (prefix, content) = ReceiveMessage(connection);
            if (HelloCodec.DecodeWelcome(prefix, content) is { Code: { } code } refusal)
                throw new InvalidOperationException($"The node refuses {member.Node}: {code}: {refusal.Reason}");
            connection.Send(Handshake.Framed(writer => HelloCodec.Encode(new Welcome(null, null), writer)));
            return true;
        }
        catch (SocketException ended) when (ended.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted)
        {
            return false;
        }
    }

    private static (byte[] Prefix, byte[] Content) ReceiveMessage(Connection connection)
    {
        var prefix = connection.Receive(HelloCodec.PrefixBytes);
        return (prefix, connection.Receive(HelloCodec.ContentBytes(prefix)));
    }

    private static byte[] Call(Dice dice)
    {
        var (method, format) = dice.Below(6) switch
        {
            0 => ((byte)PeerMethod.Sql, "sql-request"),
            1 => ((byte)PeerMethod.Transaction, "transaction-call"),
            2 => ((byte)PeerMethod.SchemaTrial, "seed-json"),
            3 => ((byte)PeerMethod.Snapshot, "seed-json"),
            4 => ((byte)PeerMethod.Status, "peer-status"),
            _ => ((byte)dice.Between(17, 255), "sql-response"),
        };
        var valid = AllFormats.Find(format)!.Draw(dice);
        return [method, .. AllFormats.Find(format)!.Mutate(dice, valid, valid)];
    }

    private static byte[] Encode(PeerFrame frame)
    {
        using var writer = new WireWriter(WireLimits.FrameBytesMax + PeerFrameCodec.PrefixBytes);
        PeerFrameCodec.Encode(frame, writer);
        return writer.ToArray();
    }
}
