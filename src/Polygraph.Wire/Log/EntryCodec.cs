using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Polygraph.Protocol;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Log;

/// <summary>
/// The bytes of a log entry: a header, then the payload. The leader's writer encodes an entry once; the same bytes go to every log and over
/// every wire. <c>docs/formats/log.md</c> draws the format byte by byte.
/// </summary>
/// <remarks>Decoding trusts nothing: whatever the bytes, it returns a header and a payload or throws <see cref="EntryFormatException"/>.</remarks>
public static class EntryCodec
{
    /// <summary>
    /// The largest record: one that a frame between nodes can hold, because an entry that cannot be shipped would stop its group for good. A
    /// transaction that makes a larger one must be refused before it is executed to the end.
    /// </summary>
    public const int RecordBytesMax = WireLimits.EntryBytesMax;

    /// <summary>The longest string of a header, in bytes of UTF-8; the value above it (65535) says that there is no string.</summary>
    public const int StringBytesMax = NoString - 1;

    /// <summary>The part of the header that every record has, at fixed offsets.</summary>
    internal const int FixedBytes = 64;

    /// <summary>A header that has no more, whatever its strings, is built on the stack.</summary>
    private const int StackBytes = 512;

    internal const ushort NoString = ushort.MaxValue;

    internal const int TableDigestBytesMin = 2 + 16;
    internal const int DependencyBytes = 4 + 8 + 8;
    internal const int OriginBytes = 8 + 8;

    internal static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Encodes an entry into an array of exactly its size.</summary>
    /// <exception cref="ArgumentException">A string is too long or not Unicode, the record is too large, or the header is of another format.</exception>
    [SkipLocalsInit]
    public static byte[] Encode(EntryHeader header, ReadOnlySpan<byte> payload)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (header.FormatVersion != EntryHeader.CurrentFormat)
            throw new ArgumentException($"This version writes entry format {EntryHeader.CurrentFormat}, not {header.FormatVersion}.", nameof(header));

        // Most headers are small: written once to the stack, they need not be measured, which takes as long as to write them.
        if (EntryHeaderWriter.SizeBound(header) <= StackBytes)
        {
            Span<byte> small = stackalloc byte[StackBytes];
            return Join(small[..EntryHeaderWriter.Write(header, small)], payload);
        }

        var size = EntryHeaderWriter.Size(header);
        if (size + payload.Length > RecordBytesMax)
            throw new ArgumentException(TooLarge(size + payload.Length), nameof(payload));
        var bytes = new byte[size];
        var written = EntryHeaderWriter.Write(header, bytes);
        Invariant.Holds(written == size, "an entry's header fills the size that was computed for it");
        return Join(bytes, payload);
    }

    /// <summary>
    /// Why these cannot be an entry: the name of a table is too long, or everything together too large. Null if <see cref="Encode"/> takes them.
    /// </summary>
    public static string? Refusal(EntryHeader header, int payloadBytes)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (EntryHeaderWriter.SizeBound(header) <= StackBytes && StackBytes + (long)payloadBytes <= RecordBytesMax)
            return null;
        foreach (var digest in header.Digests)
            if (StrictUtf8.GetByteCount(digest.Table) is var bytes && bytes > StringBytesMax)
                return $"A table's name has {bytes} bytes and the limit is {StringBytesMax}.";
        var recordBytes = EntryHeaderWriter.Size(header) + payloadBytes;
        return recordBytes > RecordBytesMax ? TooLarge(recordBytes) : null;
    }

    /// <summary>Decodes an entry. The payload is a slice of <paramref name="record"/>, not a copy.</summary>
    /// <exception cref="EntryFormatException">The bytes are not an entry, or one that needs a newer version.</exception>
    public static (EntryHeader Header, ReadOnlyMemory<byte> Payload) Decode(ReadOnlyMemory<byte> record)
    {
        var headerBytes = CheckedHeaderBytes(record.Span);
        return (EntryHeaderReader.Read(record.Span[..headerBytes]), record[headerBytes..]);
    }

    /// <summary>Where an entry stands, without decoding the rest.</summary>
    /// <exception cref="EntryFormatException">The bytes cannot be an entry, or need a newer version.</exception>
    public static Position ReadPosition(ReadOnlySpan<byte> record)
    {
        CheckedHeaderBytes(record);
        return new(
            new Term(BinaryPrimitives.ReadUInt64LittleEndian(record[8..])), new LogIndex(BinaryPrimitives.ReadUInt64LittleEndian(record[16..])));
    }

    /// <summary>What kind of payload an entry has, without decoding the rest; a number that this version does not know is returned as it is.</summary>
    /// <exception cref="EntryFormatException">The bytes cannot be an entry, or need a newer version.</exception>
    public static PayloadFormat ReadPayloadFormat(ReadOnlySpan<byte> record)
    {
        CheckedHeaderBytes(record);
        return (PayloadFormat)record[2];
    }

    private static byte[] Join(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        if (header.Length + (long)payload.Length > RecordBytesMax)
            throw new ArgumentException(TooLarge(header.Length + (long)payload.Length), nameof(payload));
        var record = GC.AllocateUninitializedArray<byte>(header.Length + payload.Length);
        header.CopyTo(record);
        payload.CopyTo(record.AsSpan(header.Length));
        return record;
    }

    private static string TooLarge(long recordBytes) => $"The entry would have {recordBytes} bytes and the limit is {RecordBytesMax}.";

    /// <summary>The size of the header, after the checks that everything else rests on: versions first, because they rule the rest.</summary>
    private static int CheckedHeaderBytes(ReadOnlySpan<byte> record)
    {
        if (record.Length < FixedBytes)
            throw new EntryFormatException($"A log entry has at least {FixedBytes} bytes; this has {record.Length}.");
        if (record.Length > RecordBytesMax)
            throw new EntryFormatException($"A log entry has at most {RecordBytesMax} bytes; this has {record.Length}.");

        var format = record[0];
        var oldestReader = record[1];
        if (format == 0 || oldestReader == 0 || oldestReader > format)
            throw new EntryFormatException($"Entry format {format}, readable from {oldestReader} on, does not exist: the bytes are not a log entry.");
        if (oldestReader > EntryHeader.CurrentFormat)
        {
            throw new EntryFormatException(
                $"The entry has format {format} and needs a reader of format {oldestReader}; this version reads {EntryHeader.CurrentFormat}. "
                + "Upgrade this node.");
        }

        var headerBytes = BinaryPrimitives.ReadUInt32LittleEndian(record[4..]);
        if (headerBytes < FixedBytes || headerBytes > (uint)record.Length)
            throw new EntryFormatException($"The entry's header claims {headerBytes} bytes of a record of {record.Length}.");
        return (int)headerBytes;
    }
}
