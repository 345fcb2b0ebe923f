using Polygraph.Protocol;
using Polygraph.Wire.Log;

namespace Polygraph.Wire.Tests.Log;

public sealed class EntryCodecTests
{
    private static readonly EntryHeader FullHeader = new()
    {
        Position = new(new Term(3), new LogIndex(0x0102030405060708)),
        Payload = PayloadFormat.Logical,
        WallTimeMicroseconds = 1_700_000_000_000_000,
        HybridTime = 0x1112131415161718,
        Session = "s",
        IdempotencyKey = "käse",
        RequestHash = new UInt128(0x2122232425262728, 0x3132333435363738),
        AckRequested = AckLevel.Quorum,
        Principal = "bob",
        Digests = [new("t", new Digest128(new UInt128(1, 2)))],
        Dependencies = [new(new GroupId(7), new(new Term(2), new LogIndex(5)))],
        Origins = [new(9, 10)],
        EncryptionKeyId = 11,
    };

    private const string FullRecord =
        "01" + "01" + "01" + "03" + "92000000" // format, oldest reader, payload logical, ack quorum, header length
        + "0300000000000000" + "0807060504030201" // term, index
        + "00401E18240A0600" + "1817161514131211" // wall time, hybrid time
        + "38373635343332312827262524232221" // request hash
        + "0B000000" + "00000000" // encryption key, flags
        + "0100" + "73" // session
        + "0500" + "6BC3A47365" // idempotency key
        + "0300" + "626F62" // principal
        + "01000000" + "0100" + "74" + "02000000000000000100000000000000" // digests
        + "01000000" + "07000000" + "0200000000000000" + "0500000000000000" // dependencies
        + "01000000" + "0900000000000000" + "0A00000000000000" // origins
        + "AABBCC"; // payload

    [Fact]
    public void A_full_record_has_these_bytes()
        => Assert.Equal(FullRecord, Convert.ToHexString(EntryCodec.Encode(FullHeader, [0xAA, 0xBB, 0xCC])));

    [Fact]
    public void A_full_record_reads_back()
    {
        var (header, payload) = EntryCodec.Decode(Convert.FromHexString(FullRecord));

        AssertSame(FullHeader, header);
        Assert.Equal("AABBCC", Convert.ToHexString(payload.Span));
    }

    [Fact]
    public void A_no_op_is_82_bytes_and_reads_back()
    {
        var header = new EntryHeader { Position = new(new Term(1), new LogIndex(1)), Payload = PayloadFormat.NoOp };

        var record = EntryCodec.Encode(header, []);

        Assert.Equal(82, record.Length);
        AssertSame(header, EntryCodec.Decode(record).Header);
    }

    [Fact]
    public void Strings_of_every_length_read_back_wherever_the_header_is_built()
    {
        for (var length = 0; length < 600; length++)
        {
            foreach (var letter in "xü‱")
            {
                var header = FullHeader with { Session = new string(letter, length), Digests = [new(new string(letter, length / 2), default)] };
                var (decoded, payload) = EntryCodec.Decode(EntryCodec.Encode(header, [1, 2, 3]));
                AssertSame(header, decoded);
                Assert.Equal([1, 2, 3], payload.ToArray());
            }
        }
    }

    [Fact]
    public void The_position_reads_without_the_rest()
        => Assert.Equal(FullHeader.Position, EntryCodec.ReadPosition(Convert.FromHexString(FullRecord)));

    [Fact]
    public void The_kind_of_payload_reads_without_the_rest()
        => Assert.Equal(FullHeader.Payload, EntryCodec.ReadPayloadFormat(Convert.FromHexString(FullRecord)));

    [Fact]
    public void A_newer_format_that_admits_this_reader_is_read_and_its_extra_fields_are_skipped()
    {
        var record = Convert.FromHexString(FullRecord).ToList();
        var headerBytes = record.Count - 3;
        record.InsertRange(headerBytes, [0xDE, 0xAD]);
        record[0] = 2;
        record[4] += 2;

        var (header, payload) = EntryCodec.Decode(record.ToArray());

        AssertSame(FullHeader with { FormatVersion = 2 }, header);
        Assert.Equal("AABBCC", Convert.ToHexString(payload.Span));
    }

    [Theory]
    [InlineData(0, 0, "does not exist")]
    [InlineData(1, 0, "does not exist")]
    [InlineData(1, 2, "does not exist")]
    [InlineData(2, 2, "Upgrade this node")]
    [InlineData(200, 9, "Upgrade this node")]
    public void A_format_that_this_version_may_not_read_is_refused_clearly(byte format, byte oldestReader, string expected)
    {
        var record = Convert.FromHexString(FullRecord);
        record[0] = format;
        record[1] = oldestReader;

        Assert.Contains(expected, Assert.Throws<EntryFormatException>(() => EntryCodec.Decode(record)).Message, StringComparison.Ordinal);
        Assert.Throws<EntryFormatException>(() => EntryCodec.ReadPosition(record));
        Assert.Throws<EntryFormatException>(() => EntryCodec.ReadPayloadFormat(record));
    }

    [Theory]
    [InlineData(2, 5, "payload format 5")]
    [InlineData(3, 5, "ack level 5")]
    [InlineData(60, 1, "flags 0x1")]
    [InlineData(4, 65, "1 bytes too early")]
    [InlineData(4, 0x91, "1 row origins in 15 bytes")]
    [InlineData(4, 0x93, "1 bytes too many")]
    [InlineData(4, 0xFF, "claims 255 bytes")]
    [InlineData(66, 0xFF, "not UTF-8")]
    public void A_field_that_cannot_be_is_refused_by_name(int offset, byte value, string expected)
    {
        var record = Convert.FromHexString(FullRecord);
        record[offset] = value;

        Assert.Contains(expected, Assert.Throws<EntryFormatException>(() => EntryCodec.Decode(record)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_count_larger_than_the_record_is_refused_before_memory_is_taken_for_it()
    {
        var record = Convert.FromHexString(FullRecord);
        var digestCount = EntryCodecOffsets.DigestCountOfFullRecord;
        record.AsSpan(digestCount, 4).Fill(0xFF);

        Assert.Contains(
            "claims 4294967295 table digests", Assert.Throws<EntryFormatException>(() => EntryCodec.Decode(record)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_and_every_changed_byte_gives_an_entry_or_the_typed_error()
    {
        var record = Convert.FromHexString(FullRecord);
        for (var length = 0; length < record.Length - 3; length++)
            Assert.Throws<EntryFormatException>(() => EntryCodec.Decode(record.AsMemory(0, length)));

        for (var offset = 0; offset < record.Length; offset++)
        {
            for (var value = 0; value < 256; value++)
            {
                var changed = record.ToArray();
                changed[offset] = (byte)value;
                Assert.True(DecodesOrIsRefused(changed));
            }
        }
    }

    [Fact]
    public void Random_bytes_give_an_entry_or_the_typed_error()
    {
        var random = new Random(20260101);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(0, 200)];
            random.NextBytes(bytes);
            if (bytes.Length > 8)
                (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]) = (1, 1, 1, 1, (byte)bytes.Length, 0, 0, 0);
            if (bytes.Length >= 64)
                bytes.AsSpan(60, 4).Clear();
            Assert.True(DecodesOrIsRefused(bytes));
        }
    }

    [Fact]
    public void What_cannot_be_encoded_is_refused_before_a_byte_is_written()
    {
        Assert.Throws<ArgumentException>(() => EntryCodec.Encode(FullHeader with { Session = new string('x', 65_535) }, []));
        Assert.Throws<ArgumentException>(() => EntryCodec.Encode(FullHeader with { Session = "\ud800" }, []));
        Assert.Throws<ArgumentException>(() => EntryCodec.Encode(FullHeader with { Session = new string('x', 600) + "\ud800" }, []));
        Assert.Throws<ArgumentException>(() => EntryCodec.Encode(FullHeader with { FormatVersion = 2 }, []));
        Assert.Throws<ArgumentException>(() => EntryCodec.Encode(FullHeader, new byte[EntryCodec.RecordBytesMax]));
        EntryCodec.Encode(FullHeader with { Session = new string('x', 65_534) }, []);
    }

    private static bool DecodesOrIsRefused(byte[] bytes)
    {
        try
        {
            EntryCodec.Decode(bytes);
            return true;
        }
        catch (EntryFormatException)
        {
            return true;
        }
    }

    /// <summary>A record compares its lists by reference; this compares what they hold.</summary>
    private static void AssertSame(EntryHeader expected, EntryHeader actual)
    {
        Assert.Equal(expected.Digests, actual.Digests);
        Assert.Equal(expected.Dependencies, actual.Dependencies);
        Assert.Equal(expected.Origins, actual.Origins);
        Assert.Equal(
            expected with { Digests = [], Dependencies = [], Origins = [] }, actual with { Digests = [], Dependencies = [], Origins = [] });
    }
}

internal static class EntryCodecOffsets
{
    /// <summary>64 fixed bytes, then session (2 + 1), idempotency key (2 + 5) and principal (2 + 3).</summary>
    public const int DigestCountOfFullRecord = 64 + 3 + 7 + 5;
}
