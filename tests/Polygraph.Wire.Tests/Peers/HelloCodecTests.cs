using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Wire.Tests.Peers;

/// <summary>The handshake's bytes are as agreed, and a newer version may add to them.</summary>
public sealed class HelloCodecTests
{
    private static readonly Welcome Refusal = new("WRONG_CLUSTER", "Check the addresses – both of them.");

    [Fact]
    public void The_bytes_are_as_agreed()
    {
        GoldenFile.Check("hello", Encode(FrameSamples.HelloWithoutLibrary));
        GoldenFile.Check("hello-with-library", Encode(FrameSamples.Hello));
        GoldenFile.Check("welcome", Encode(new Welcome(null, null)));
        GoldenFile.Check("welcome-refused", Encode(Refusal));
    }

    [Fact]
    public void A_hello_comes_back_as_it_went()
    {
        var bytes = Encode(FrameSamples.Hello);

        Assert.Equal(Shape.Of(FrameSamples.Hello), Shape.Of(HelloCodec.DecodeHello(Prefix(bytes), Content(bytes))));
    }

    [Fact]
    public void The_hello_of_a_node_that_does_not_tell_its_library_is_read()
    {
        var bytes = Encode(FrameSamples.HelloWithoutLibrary);

        Assert.Null(HelloCodec.DecodeHello(Prefix(bytes), Content(bytes)).Sqlite);
    }

    [Fact]
    public void A_welcome_comes_back_as_it_went()
    {
        var bytes = Encode(Refusal);

        Assert.Equal(Refusal, HelloCodec.DecodeWelcome(Prefix(bytes), Content(bytes)));
    }

    [Fact]
    public void Fields_that_a_newer_version_adds_are_skipped()
    {
        byte[] longer = [.. Encode(FrameSamples.Hello), 1, 2, 3];
        SealHello(longer);

        Assert.Equal(Shape.Of(FrameSamples.Hello), Shape.Of(HelloCodec.DecodeHello(Prefix(longer), Content(longer))));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and more of it")]
    public void Whoever_speaks_another_protocol_is_told_from_a_peer_by_the_first_bytes(string bytes)
        => Assert.Throws<WireFormatException>(() => HelloCodec.ContentBytes(System.Text.Encoding.Latin1.GetBytes(bytes).AsSpan(0, HelloCodec.PrefixBytes)));

    [Fact]
    public void Mutated_hellos_are_read_or_refused_and_nothing_else()
    {
        var mutations = new FrameMutations(seed: 7);
        var original = Encode(FrameSamples.Hello);
        var refused = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = mutations.Mutate(original);
            if (bytes.Length < HelloCodec.PrefixBytes)
                continue;
            SealHello(bytes);
            try
            {
                HelloCodec.DecodeHello(Prefix(bytes), Content(bytes));
            }
            catch (WireFormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 5_000, 19_999);
    }

    private static void SealHello(byte[] bytes)
    {
        "PolyPeer"u8.CopyTo(bytes);
        FrameMutations.SealAfter(bytes, 8);
    }

    private static ReadOnlySpan<byte> Prefix(byte[] bytes) => bytes.AsSpan(0, HelloCodec.PrefixBytes);

    private static ReadOnlyMemory<byte> Content(byte[] bytes) => bytes.AsMemory(HelloCodec.PrefixBytes);

    private static byte[] Encode(Hello hello)
    {
        using var writer = new WireWriter(WireLimits.HandshakeBytesMax);
        HelloCodec.Encode(hello, writer);
        return writer.ToArray();
    }

    private static byte[] Encode(Welcome welcome)
    {
        using var writer = new WireWriter(WireLimits.HandshakeBytesMax);
        HelloCodec.Encode(welcome, writer);
        return writer.ToArray();
    }
}
