using System.Buffers.Binary;
using Polygraph.Protocol;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Peers;

/// <summary>
/// The bytes of the handshake: <c>8 bytes of magic, u32 length, u32 crc32c</c>, then a <see cref="Hello"/> or a <see cref="Welcome"/>. This
/// framing never changes with the protocol version, because it is how two versions find out about one another: a later version may only add
/// fields at the end, and a reader skips the fields that a newer sender added.
/// </summary>
public static class HelloCodec
{
    /// <summary>Magic, length and checksum.</summary>
    public const int PrefixBytes = 8 + (2 * sizeof(uint));

    private static ReadOnlySpan<byte> Magic => "PolyPeer"u8;

    public static void Encode(Hello hello, WireWriter writer)
        => WriteFramed(writer, body =>
        {
            body.UInt16(hello.ProtocolVersion);
            body.UInt16(hello.OldestVersion);
            body.UInt128(hello.Cluster.Value);
            body.Node(hello.Node, "node");
            body.UInt64(hello.Incarnation.Value);
            body.Count(hello.PeerSet.Count, WireLimits.NodesMax, "peer set");
            foreach (var peer in hello.PeerSet)
                body.Node(peer, "a peer's name");
            body.Text(hello.HttpAddress, WireLimits.ShortTextBytesMax, "HTTP address");
            body.Text(hello.Zone, WireLimits.NameBytesMax, "zone");
            body.Text(hello.ProductVersion, WireLimits.NameBytesMax, "product version");
            body.UInt32((uint)hello.ProcessId);
            if (hello.Sqlite is not { } library)
                return;
            body.Text(library.Version, WireLimits.NameBytesMax, "SQLite version");
            body.UInt128(library.Fingerprint);
        });

    public static void Encode(Welcome welcome, WireWriter writer)
        => WriteFramed(writer, body =>
        {
            body.OptionalText(welcome.Code, WireLimits.NameBytesMax, "code");
            body.OptionalText(welcome.Reason, WireLimits.ShortTextBytesMax, "reason");
        });

    /// <summary>How many bytes follow the prefix.</summary>
    /// <exception cref="WireFormatException">Whoever is there does not speak this protocol.</exception>
    public static int ContentBytes(ReadOnlySpan<byte> prefix)
    {
        if (!prefix[..Magic.Length].SequenceEqual(Magic))
            throw new WireFormatException("The other side does not speak the peer protocol of Polygraph.");
        var bytes = BinaryPrimitives.ReadUInt32LittleEndian(prefix[Magic.Length..]);
        return bytes <= WireLimits.HandshakeBytesMax
            ? (int)bytes
            : throw new WireFormatException($"A handshake message of {bytes} bytes; the limit is {WireLimits.HandshakeBytesMax}.");
    }

    /// <exception cref="WireFormatException">The bytes are damaged or not a hello.</exception>
    public static Hello DecodeHello(ReadOnlySpan<byte> prefix, ReadOnlyMemory<byte> content)
    {
        var reader = Open(prefix, content);
        return new(
            reader.UInt16("protocol version"),
            reader.UInt16("oldest version"),
            new ClusterId(reader.UInt128("cluster")),
            reader.Node("node"),
            new Incarnation(reader.UInt64("incarnation")),
            ReadPeers(ref reader),
            reader.Text(WireLimits.ShortTextBytesMax, "HTTP address"),
            reader.Text(WireLimits.NameBytesMax, "zone"),
            reader.Text(WireLimits.NameBytesMax, "product version"),
            (int)reader.UInt32("process id"),
            reader.Remaining == 0 ? null : new LibraryIdentity(reader.Text(WireLimits.NameBytesMax, "SQLite version"), reader.UInt128("SQLite fingerprint")));
    }

    /// <exception cref="WireFormatException">The bytes are damaged or not a welcome.</exception>
    public static Welcome DecodeWelcome(ReadOnlySpan<byte> prefix, ReadOnlyMemory<byte> content)
    {
        var reader = Open(prefix, content);
        return new(
            reader.OptionalText(WireLimits.NameBytesMax, "code"), reader.OptionalText(WireLimits.ShortTextBytesMax, "reason"));
    }

    private static NodeId[] ReadPeers(ref WireReader reader)
    {
        const int NameBytesMin = 2;
        var peers = new NodeId[reader.Count(WireLimits.NodesMax, NameBytesMin, "peer set")];
        for (var i = 0; i < peers.Length; i++)
            peers[i] = reader.Node("a peer's name");
        return peers;
    }

    private static void WriteFramed(WireWriter writer, Action<WireWriter> body)
    {
        var start = writer.Length;
        Magic.CopyTo(writer.Reserve(PrefixBytes));
        body(writer);
        var bytes = writer.Length - start - PrefixBytes;
        if (bytes > WireLimits.HandshakeBytesMax)
            throw new WireLimitException($"The handshake message has {bytes} bytes; the limit is {WireLimits.HandshakeBytesMax}.");
        var numbers = writer.Patch(start + Magic.Length, 2 * sizeof(uint));
        BinaryPrimitives.WriteUInt32LittleEndian(numbers, (uint)bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(numbers[sizeof(uint)..], Crc32C.Compute(writer.Patch(start + PrefixBytes, bytes)));
    }

    private static WireReader Open(ReadOnlySpan<byte> prefix, ReadOnlyMemory<byte> content)
    {
        if (ContentBytes(prefix) != content.Length)
            throw new WireFormatException($"A handshake message of {ContentBytes(prefix)} bytes came with {content.Length}.");
        if (BinaryPrimitives.ReadUInt32LittleEndian(prefix[(Magic.Length + sizeof(uint))..]) != Crc32C.Compute(content.Span))
            throw new WireFormatException("The handshake message's checksum is wrong: it was damaged on its way.");
        return new(content);
    }
}
