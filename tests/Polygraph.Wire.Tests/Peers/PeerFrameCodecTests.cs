using System.Buffers.Binary;
using Polygraph.Protocol.Messages;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Wire.Tests.Peers;

/// <summary>Frames have agreed bytes, come back as they went, and refuse what is damaged or senseless.</summary>
public sealed class PeerFrameCodecTests
{
    public static TheoryData<string> Names => [.. FrameSamples.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_bytes_of_each_frame_are_as_agreed(string name) => GoldenFile.Check(name, Encode(FrameSamples.All[name]));

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_frame_comes_back_as_it_went(string name)
        => Assert.Equal(Shape.Of(FrameSamples.All[name]), Shape.Of(Decode(Encode(FrameSamples.All[name]))));

    [Fact]
    public void Every_kind_has_a_sample()
    {
        var sampled = FrameSamples.All.Values.Select(frame => (PeerFrameKind)Encode(frame)[PeerFrameCodec.PrefixBytes]).Distinct().Order();

        Assert.Equal(Enum.GetValues<PeerFrameKind>().Order(), sampled);
    }

    [Fact]
    public void Random_frames_come_back_as_they_went()
    {
        for (var seed = 0; seed < 2_000; seed++)
        {
            var frame = new RandomFrames(seed).Next();
            Assert.Equal(Shape.Of(frame), Shape.Of(Decode(Encode(frame))));
        }
    }

    [Fact]
    public void Any_single_flipped_bit_of_the_content_is_noticed()
    {
        var bytes = Encode(FrameSamples.All["append-request"]);
        for (var bit = PeerFrameCodec.PrefixBytes * 8; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<WireFormatException>(() => Decode(bytes));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(4u)]
    [InlineData((uint)WireLimits.FrameBytesMax + 1)]
    [InlineData(uint.MaxValue)]
    public void A_length_that_no_frame_has_is_refused_before_any_room_is_made(uint length)
    {
        var prefix = new byte[PeerFrameCodec.PrefixBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(prefix, length);

        Assert.Throws<WireFormatException>(() => PeerFrameCodec.ContentBytes(prefix));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(13)]
    [InlineData(63)]
    [InlineData(67)]
    [InlineData(255)]
    public void An_unknown_kind_is_refused(byte kind)
    {
        var bytes = Encode(FrameSamples.All["vote-reply"]);
        bytes[PeerFrameCodec.PrefixBytes] = kind;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(PeerFrameCodec.PrefixBytes + 1), 0);
        FrameMutations.Seal(bytes);

        Assert.Contains("the frame's kind", Assert.Throws<WireFormatException>(() => Decode(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Entries_whose_terms_go_back_are_refused()
    {
        var append = (AppendRequest)((PeerFrame.Group)FrameSamples.All["append-request"]).Message;
        PeerFrame backwards = new PeerFrame.Group(
            new(1), append with { Entries = [append.Entries[0] with { Position = new(new(2), new(201)) }] });
        PeerFrame beyond = new PeerFrame.Group(new(1), append with { Entries = [append.Entries[0] with { Position = new(new(7), new(201)) }] });

        Assert.Throws<WireFormatException>(() => Decode(Encode(backwards)));
        Assert.Throws<WireFormatException>(() => Decode(Encode(beyond)));
    }

    [Fact]
    public void A_frame_over_the_limit_is_not_written_and_leaves_what_was_there()
    {
        using var writer = new WireWriter(2 * WireLimits.FrameBytesMax);
        PeerFrameCodec.Encode(FrameSamples.All["vote-reply"], writer);
        var before = writer.ToArray();

        Assert.Throws<WireLimitException>(() => PeerFrameCodec.Encode(new PeerFrame.Forward(1, new byte[WireLimits.FrameBytesMax]), writer));

        Assert.Equal(before, writer.ToArray());
    }

    [Fact]
    public void The_largest_entry_fits_a_frame()
    {
        var record = new byte[WireLimits.EntryBytesMax];
        var far = new Protocol.Position(new(WireLimits.PositionMax), new(WireLimits.PositionMax - 1));
        PeerFrame frame = new PeerFrame.Group(new(uint.MaxValue), new AppendRequest(
            far.Term, far, far.Index, ulong.MaxValue, new(new(ulong.MaxValue, new(long.MinValue)), far.Index), [new(far with { Index = far.Index.Next }, record)]));

        var decoded = (PeerFrame.Group)Decode(Encode(frame));

        Assert.Equal(record.Length, ((AppendRequest)decoded.Message).Entries[0].Record.Length);
    }

    [Fact]
    public void The_estimate_is_never_below_what_a_frame_takes()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var frame = new RandomFrames(seed).Next();
            Assert.InRange(Encode(frame).Length, 0, PeerFrameCodec.EstimateBytes(frame));
        }
    }

    [Fact]
    public void The_checksum_is_the_published_one()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
        Assert.Equal(0u, Crc32C.Compute([]));
    }

    internal static byte[] Encode(PeerFrame frame)
    {
        using var writer = new WireWriter(WireLimits.FrameBytesMax + PeerFrameCodec.PrefixBytes);
        PeerFrameCodec.Encode(frame, writer);
        return writer.ToArray();
    }

    internal static PeerFrame Decode(byte[] bytes)
        => PeerFrameCodec.Decode(bytes.AsSpan(0, PeerFrameCodec.PrefixBytes), bytes.AsMemory(PeerFrameCodec.PrefixBytes));
}
