using System.Text;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Tests.Apply;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Digests;

/// <summary>Golden vectors, made by another implementation of the description: version 1 of the row hash and of the canonical encoding never changes, or replicas of two versions would differ.</summary>
public sealed class RowHashTests
{
    [Theory]
    [InlineData("", "0ef173e9aee9f1a9686b40c28514c02c")]
    [InlineData("00", "8be36f1b92dc6572669489bd71218f85")]
    [InlineData("0000", "51cfe7907296594f7b657825a17def94")]
    [InlineData("000102030405060708090a0b0c0d0e0f", "e1de5659a65ae2f0c8fa45c8ccbb616a")]
    [InlineData("000102030405060708090a0b0c0d0e0f10", "77289083590d9afc2532c24a764baa48")]
    public void The_hash_of_bytes_is_fixed(string image, string expected)
        => Assert.Equal(expected, RowHash.Of(Convert.FromHexString(image)).ToString("x32"));

    [Fact]
    public void The_encoding_of_values_is_fixed()
    {
        var writer = new LogicalPayloadWriter();
        SqlValue[] values =
        [
            SqlValue.FromInteger(1), SqlValue.FromInteger(-1), SqlValue.FromInteger(long.MinValue), SqlValue.FromReal(-0.0),
            SqlValue.FromReal(1.5), SqlValue.FromText("aé"), SqlValue.FromBlob(new byte[] { 255 }), SqlValue.Null,
        ];
        foreach (var value in values)
            writer.WriteValue(value);
        Assert.Equal(
            "0102" + "0101" + "01ffffffffffffffffff01" + "020000000000000080" + "02000000000000f83f" + "0303" + "61c3a9" + "0401ff" + "05",
            Convert.ToHexStringLower(writer.Written));
    }

    [Fact]
    public void The_digest_of_a_table_is_fixed()
    {
        using var pair = new ReplicaPair();
        pair.Run("CREATE TABLE t(a, b)", "INSERT INTO t VALUES (1, 'one'), (2.5, NULL), (x'00ff', -7)", "DELETE FROM t WHERE a = 2.5");
        Assert.Equal("af5b44ca328cf550fa7a1cf597afc0d8", pair.Leader.Digests["t"].ToString());
    }

    [Fact]
    public void One_bit_anywhere_changes_both_halves()
    {
        var image = Encoding.ASCII.GetBytes("forty-one bytes, so that a tail remains..");
        var original = RowHash.Of(image);
        for (var bit = 0; bit < image.Length * 8; bit++)
        {
            image[bit / 8] ^= (byte)(1 << (bit % 8));
            var changed = RowHash.Of(image);
            Assert.NotEqual((ulong)original, (ulong)changed);
            Assert.NotEqual((ulong)(original >> 64), (ulong)(changed >> 64));
            image[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Rows_of_small_numbers_do_not_collide_even_in_half_a_hash()
    {
        var writer = new LogicalPayloadWriter();
        var seen = new HashSet<ulong>();
        for (var a = 0; a < 300; a++)
        {
            for (var b = 0; b < 300; b++)
            {
                writer.CutTo(0);
                writer.WriteInteger(a);
                writer.WriteInteger(b);
                var hash = RowHash.Of(writer.Written);
                Assert.True(seen.Add((ulong)hash));
                Assert.True(seen.Add((ulong)(hash >> 64)));
            }
        }
    }
}
