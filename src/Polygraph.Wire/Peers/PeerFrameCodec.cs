using System.Buffers.Binary;
using Polygraph.Protocol;
using Polygraph.Protocol.Messages;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Peers;

/// <summary>
/// The bytes of a frame: <c>u32 length, u32 crc32c, u8 kind, u32 group, body</c>, little endian. The length counts what follows the two
/// numbers of the prefix, and the checksum covers the same. <c>docs/formats/peer-protocol.md</c> draws each message.
/// </summary>
/// <remarks>
/// The checksum is here although TCP has one: TCP's has 16 bits, and what a follower gets it fsyncs under a fresh checksum of its own. With
/// this one a bit that flips between two memories ends the connection and not the equality of the copies.
/// </remarks>
public static class PeerFrameCodec
{
    /// <summary>The length and the checksum before each frame.</summary>
    public const int PrefixBytes = 2 * sizeof(uint);

    private const int HeadBytes = sizeof(byte) + sizeof(uint);

    /// <summary>The most that the fields of a message need, entries apart: nine numbers of up to 10 bytes and a stamp of 18.</summary>
    private const int FixedFieldsBytesMax = 128;

    /// <summary>Appends <paramref name="frame"/> to what <paramref name="writer"/> holds; on an exception nothing is appended.</summary>
    /// <exception cref="WireLimitException">The frame, or something in it, is larger than may be sent.</exception>
    public static void Encode(PeerFrame frame, WireWriter writer)
    {
        var start = writer.Length;
        try
        {
            writer.Reserve(PrefixBytes);
            WriteContent(frame, writer);
            var bytes = writer.Length - start - PrefixBytes;
            if (bytes > WireLimits.FrameBytesMax)
                throw new WireLimitException($"The frame would have {bytes} bytes; the limit is {WireLimits.FrameBytesMax}.");

            var content = writer.Patch(start + PrefixBytes, bytes);
            var prefix = writer.Patch(start, PrefixBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(prefix, (uint)bytes);
            BinaryPrimitives.WriteUInt32LittleEndian(prefix[sizeof(uint)..], Crc32C.Compute(content));
        }
        catch (WireLimitException)
        {
            writer.Truncate(start);
            throw;
        }
    }

    /// <summary>How many bytes follow the prefix: all that a receiver must know before it makes room for the frame.</summary>
    /// <exception cref="WireFormatException">No frame is that short or that long.</exception>
    public static int ContentBytes(ReadOnlySpan<byte> prefix)
    {
        var bytes = BinaryPrimitives.ReadUInt32LittleEndian(prefix);
        return bytes is >= HeadBytes and <= WireLimits.FrameBytesMax
            ? (int)bytes
            : throw new WireFormatException($"A frame of {bytes} bytes; frames have {HeadBytes} to {WireLimits.FrameBytesMax}.");
    }

    /// <summary>
    /// Decodes a frame from its prefix and all of its content. Entries and payloads are slices of <paramref name="content"/>, which must
    /// therefore belong to the frame alone and never change.
    /// </summary>
    /// <exception cref="WireFormatException">The bytes are damaged, or not a frame of this version.</exception>
    public static PeerFrame Decode(ReadOnlySpan<byte> prefix, ReadOnlyMemory<byte> content)
    {
        if (ContentBytes(prefix) != content.Length)
            throw new WireFormatException($"A frame of {ContentBytes(prefix)} bytes came with {content.Length}.");
        if (BinaryPrimitives.ReadUInt32LittleEndian(prefix[sizeof(uint)..]) != Crc32C.Compute(content.Span))
            throw new WireFormatException("The frame's checksum is wrong: it was damaged on its way.");

        var reader = new WireReader(content);
        var kind = (PeerFrameKind)reader.Byte("the frame's kind");
        var group = reader.UInt32("the frame's group");
        var frame = kind < PeerFrameKind.Forward
            ? new PeerFrame.Group(new GroupId(group), PeerMessageReader.Read(kind, ref reader))
            : ReadNodeFrame(kind, group, ref reader);
        reader.End(kind.ToString());
        return frame;
    }

    /// <summary>At least what the frame will take on the wire, and about what it occupies in memory; for limits on queues.</summary>
    public static int EstimateBytes(PeerFrame frame)
    {
        long bytes = PrefixBytes + HeadBytes + FixedFieldsBytesMax;
        switch (frame)
        {
            case PeerFrame.Group { Message: AppendRequest append }:
                for (var i = 0; i < append.Entries.Count; i++)
                    bytes += append.Entries[i].Record.Length + 16;
                break;
            case PeerFrame.Forward forward:
                bytes += forward.Payload.Length;
                break;
            case PeerFrame.ForwardReply reply:
                bytes += reply.Payload.Length;
                break;
            case PeerFrame.ClusterFormed formed:
                bytes += formed.Members.Count * (long)WireLimits.NameBytesMax;
                break;
        }

        return (int)Math.Min(bytes, int.MaxValue);
    }

    private static void WriteContent(PeerFrame frame, WireWriter writer)
    {
        switch (frame)
        {
            case PeerFrame.Group(var group, var message):
                WriteHead(PeerMessageWriter.KindOf(message), group.Value, writer);
                PeerMessageWriter.Write(message, writer);
                break;
            case PeerFrame.Forward(var call, var payload):
                WriteHead(PeerFrameKind.Forward, 0, writer);
                writer.Varint(call);
                writer.Raw(payload.Span);
                break;
            case PeerFrame.ForwardReply(var call, var payload):
                WriteHead(PeerFrameKind.ForwardReply, 0, writer);
                writer.Varint(call);
                writer.Raw(payload.Span);
                break;
            case PeerFrame.ClusterFormed formed:
                WriteHead(PeerFrameKind.ClusterFormed, 0, writer);
                WriteFormed(formed, writer);
                break;
            default:
                throw new InvariantViolationException($"Frame {frame.GetType()} has no encoding.");
        }
    }

    private static void WriteHead(PeerFrameKind kind, uint group, WireWriter writer)
    {
        writer.Byte((byte)kind);
        writer.UInt32(group);
    }

    private static void WriteFormed(PeerFrame.ClusterFormed formed, WireWriter writer)
    {
        writer.UInt128(formed.Cluster.Value);
        writer.Count(formed.Members.Count, WireLimits.NodesMax, "members");
        foreach (var member in formed.Members)
        {
            writer.Node(member.Id, "a member's name");
            writer.UInt64(member.Incarnation.Value);
        }
    }

    private static PeerFrame ReadNodeFrame(PeerFrameKind kind, uint group, ref WireReader reader)
    {
        if (group != 0)
            throw new WireFormatException($"A {kind} frame names group {group}; it belongs to no group.");
        return kind switch
        {
            PeerFrameKind.Forward => new PeerFrame.Forward(reader.Varint("call"), reader.Rest()),
            PeerFrameKind.ForwardReply => new PeerFrame.ForwardReply(reader.Varint("call"), reader.Rest()),
            PeerFrameKind.ClusterFormed => ReadFormed(ref reader),
            _ => throw WireReader.Unknown("the frame's kind", (byte)kind),
        };
    }

    private static PeerFrame.ClusterFormed ReadFormed(ref WireReader reader)
    {
        const int MemberBytesMin = 2 + sizeof(ulong);
        var cluster = new ClusterId(reader.UInt128("cluster"));
        var members = new MemberIdentity[reader.Count(WireLimits.NodesMax, MemberBytesMin, "members")];
        for (var i = 0; i < members.Length; i++)
            members[i] = new(reader.Node("a member's name"), new Incarnation(reader.UInt64("a member's incarnation")));
        return new(cluster, members);
    }
}
