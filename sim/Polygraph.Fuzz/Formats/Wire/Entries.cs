using System.Buffers.Binary;
using Polygraph.Fuzz.Drawing;
using Polygraph.Protocol;
using Polygraph.Wire.Log;

namespace Polygraph.Fuzz.Formats.Wire;

/// <summary>A record of the log: header and payload, as logs and connections hold it.</summary>
internal sealed class Entries : Codec<(EntryHeader Header, ReadOnlyMemory<byte> Payload)>
{
    public override string Name => "log-entry";

    public override int Weight => 32;

    /// <summary>A header of every size, for entries at any position.</summary>
    public static EntryHeader Header(Dice dice, Position position)
        => new()
        {
            Position = position,
            Payload = dice.Pick(Enum.GetValues<PayloadFormat>()),
            AckRequested = dice.Pick(Enum.GetValues<AckLevel>()),
            WallTimeMicroseconds = dice.Signed(),
            HybridTime = dice.Bits(),
            RequestHash = new UInt128(dice.Bits(), dice.Bits()),
            EncryptionKeyId = (uint)dice.Number(),
            Session = dice.MaybeText(),
            IdempotencyKey = dice.MaybeText(),
            Principal = dice.Text(),
            Digests = dice.Many(() => new TableDigest(dice.Text(), new(new UInt128(dice.Bits(), dice.Bits())))),
            Dependencies = dice.Many(() => new CausalDependency(new((uint)dice.Number()), new(new(dice.Number()), new(dice.Number()))), 2),
            Origins = dice.Many(() => new RowOrigin(dice.Bits(), dice.Bits()), 2),
        };

    public override void CheckAccepted(byte[] input)
    {
        // What a newer version wrote is read as far as it is known, and is never written by this one.
        if (input[0] == EntryHeader.CurrentFormat)
            base.CheckAccepted(input);
        var (header, _) = EntryCodec.Decode(input);
        Same("Position", header.Position.ToString(), EntryCodec.ReadPosition(input).ToString());
        Same("Payload format", header.Payload.ToString(), EntryCodec.ReadPayloadFormat(input).ToString());
    }

    protected override (EntryHeader Header, ReadOnlyMemory<byte> Payload) DrawValue(Dice dice)
        => (Header(dice, new(new(dice.Number()), new(dice.Number()))), dice.Bytes());

    protected override byte[] Encode((EntryHeader Header, ReadOnlyMemory<byte> Payload) value) => EntryCodec.Encode(value.Header, value.Payload.Span);

    protected override (EntryHeader Header, ReadOnlyMemory<byte> Payload) Decode(byte[] bytes) => EntryCodec.Decode(bytes);

    protected override bool IsRefusal(Exception exception) => exception is EntryFormatException;

    /// <summary>The header's length stands in it; most inputs get one that can be.</summary>
    protected override void Seal(byte[] mutated)
    {
        if (mutated.Length < 8 || BinaryPrimitives.ReadUInt32LittleEndian(mutated.AsSpan(4)) <= mutated.Length)
            return;
        BinaryPrimitives.WriteUInt32LittleEndian(mutated.AsSpan(4), (uint)mutated.Length);
    }

    protected override string ShapeOf((EntryHeader Header, ReadOnlyMemory<byte> Payload) value) => Shape.Of(value.Header) + Shape.Of(value.Payload);
}
