using Polygraph.Fuzz.Drawing;
using Polygraph.Protocol;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Fuzz.Formats.Wire;

/// <summary>The first thing that each side of a peer connection says. Whoever reaches the port can send it.</summary>
internal sealed class Hellos : Codec<Hello>
{
    public override string Name => "peer-hello";

    protected override Hello DrawValue(Dice dice)
        => new(
            (ushort)dice.Number(), (ushort)dice.Number(), new(new UInt128(dice.Bits(), dice.Bits())), new(dice.Name()), new(dice.Bits()),
            dice.Many(() => new NodeId(dice.Name()), 4, WireLimits.NodesMax), dice.Text(), dice.Text(60), dice.Text(60), (int)dice.Bits(),
            dice.Coin() ? new LibraryIdentity(dice.Text(60), new UInt128(dice.Bits(), dice.Bits())) : null);

    protected override byte[] Encode(Hello value) => Handshake.Framed(writer => HelloCodec.Encode(value, writer));

    protected override Hello Decode(byte[] bytes)
        => bytes.Length >= HelloCodec.PrefixBytes
            ? HelloCodec.DecodeHello(bytes.AsSpan(0, HelloCodec.PrefixBytes), bytes.AsMemory(HelloCodec.PrefixBytes))
            : throw new WireFormatException("No transport hands over less than a prefix.");

    protected override bool IsRefusal(Exception exception) => exception is WireFormatException;

    protected override void Seal(byte[] mutated) => Handshake.Seal(mutated);
}

/// <summary>The answer to it.</summary>
internal sealed class Welcomes : Codec<Welcome>
{
    public override string Name => "peer-welcome";

    protected override Welcome DrawValue(Dice dice) => new(dice.Coin() ? dice.Text(60) : null, dice.MaybeText());

    protected override byte[] Encode(Welcome value) => Handshake.Framed(writer => HelloCodec.Encode(value, writer));

    protected override Welcome Decode(byte[] bytes)
        => bytes.Length >= HelloCodec.PrefixBytes
            ? HelloCodec.DecodeWelcome(bytes.AsSpan(0, HelloCodec.PrefixBytes), bytes.AsMemory(HelloCodec.PrefixBytes))
            : throw new WireFormatException("No transport hands over less than a prefix.");

    protected override bool IsRefusal(Exception exception) => exception is WireFormatException;

    protected override void Seal(byte[] mutated) => Handshake.Seal(mutated);
}

/// <summary>What both have in common: eight bytes of magic, then length and checksum.</summary>
internal static class Handshake
{
    private const int MagicBytes = 8;

    public static byte[] Framed(Action<WireWriter> write)
    {
        using var writer = new WireWriter(2 * WireLimits.HandshakeBytesMax);
        write(writer);
        return writer.ToArray();
    }

    public static void Seal(byte[] mutated)
    {
        if (mutated.Length < MagicBytes)
            return;
        "PolyPeer"u8.CopyTo(mutated);
        Seals.LengthAndChecksum(mutated, MagicBytes);
    }
}
