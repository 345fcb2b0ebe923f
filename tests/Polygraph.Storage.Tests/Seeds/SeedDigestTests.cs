using Polygraph.Storage.Digests;
using Polygraph.Storage.Seeds;

namespace Polygraph.Storage.Tests.Seeds;

/// <summary>Two nodes that hold the same file have the same digest, however it came in; a file that differs anywhere has another.</summary>
public sealed class SeedDigestTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(100_000)]
    [InlineData(100_003)]
    public void It_does_not_depend_on_the_pieces_and_is_the_hash_that_rows_have(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        var whole = DigestOf(content, Math.Max(16, length));
        Assert.Equal(RowHash.Of(content).ToString("x32", null), whole);
        foreach (var piece in (int[])[16, 4096, 65_536])
            Assert.Equal(whole, DigestOf(content, piece));
    }

    [Fact]
    public async Task A_stream_has_the_digest_of_what_is_left_of_it()
    {
        var content = new byte[(2 << 20) + 5];
        new Random(1).NextBytes(content);
        using var stream = new MemoryStream(content) { Position = 3 };
        Assert.Equal(DigestOf(content[3..], content.Length), await SeedDigest.OfAsync(stream, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_bit_a_swap_of_blocks_and_a_tail_of_zeros_change_it()
    {
        var content = new byte[10_000];
        new Random(1).NextBytes(content);
        var seen = new HashSet<string> { DigestOf(content, 4096) };
        for (var bit = 0; bit < content.Length * 8; bit++)
        {
            content[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(seen.Add(DigestOf(content, 4096)), $"bit {bit} is not seen");
            content[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.True(seen.Add(DigestOf([.. content[4096..8192], .. content[..4096], .. content[8192..]], 4096)));
        Assert.True(seen.Add(DigestOf([.. content, 0], 4096)));
        Assert.True(seen.Add(DigestOf(content[..^1], 4096)));
    }

    private static string DigestOf(byte[] content, int piece)
    {
        var digest = new SeedDigest(content.Length);
        for (var from = 0; from < content.Length; from += piece)
            digest.Append(content.AsSpan(from, Math.Min(piece, content.Length - from)));
        return digest.Complete();
    }
}
