using System.Buffers.Binary;
using System.Globalization;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Log;

/// <summary>
/// Sizes and frames of the one segment format that serves the log, files of cut entries, backup and point-in-time recovery.
/// <c>docs/formats/log.md</c> draws it byte by byte.
/// </summary>
internal static class SegmentFormat
{
    /// <summary>The header without its note.</summary>
    public const int HeaderBytes = 64;

    /// <summary>What stands before each record: checksum, length, distance to what was durable.</summary>
    public const int FrameBytes = 12;

    /// <summary>A frame that closes a segment: the position of the last entry.</summary>
    public const int SealBytes = FrameBytes + 16;

    /// <summary>In place of a record's length: the frame is a seal.</summary>
    public const uint SealLength = uint.MaxValue;

    public const string FileSuffix = ".seg";

    /// <summary>The name of the segment that begins at an index: fixed width, so that names sort as indexes do.</summary>
    public static string FileName(LogIndex first) => first.Value.ToString("x16", CultureInfo.InvariantCulture) + FileSuffix;

    /// <summary>Writes the frame of a record whose bytes follow it.</summary>
    /// <param name="frame">Where it goes.</param>
    /// <param name="record">The record.</param>
    /// <param name="unsyncedBytes">How far before this frame the durable part of the segment ended when it was written.</param>
    public static void WriteFrame(Span<byte> frame, ReadOnlySpan<byte> record, long unsyncedBytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], (uint)record.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], (uint)Math.Min(unsyncedBytes, uint.MaxValue));
        BinaryPrimitives.WriteUInt32LittleEndian(frame, FrameChecksum(frame, record));
    }

    public static byte[] Seal(Position last, long unsyncedBytes)
    {
        var seal = new byte[SealBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(seal.AsSpan(FrameBytes), last.Index.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(seal.AsSpan(FrameBytes + 8), last.Term.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(seal.AsSpan(4), SealLength);
        BinaryPrimitives.WriteUInt32LittleEndian(seal.AsSpan(8), (uint)Math.Min(unsyncedBytes, uint.MaxValue));
        BinaryPrimitives.WriteUInt32LittleEndian(seal, FrameChecksum(seal, seal.AsSpan(FrameBytes)));
        return seal;
    }

    public static Position SealedPosition(ReadOnlySpan<byte> seal)
        => new(
            new Term(BinaryPrimitives.ReadUInt64LittleEndian(seal[(FrameBytes + 8)..])),
            new LogIndex(BinaryPrimitives.ReadUInt64LittleEndian(seal[FrameBytes..])));

    public static uint LengthField(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt32LittleEndian(frame[4..]);

    public static uint UnsyncedField(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt32LittleEndian(frame[8..]);

    /// <summary>The bytes that a frame's length field claims, frame included; 0 if no frame can have that length.</summary>
    public static long ClaimedBytes(ReadOnlySpan<byte> frame)
    {
        var length = LengthField(frame);
        if (length == SealLength)
            return SealBytes;
        return length is 0 or > EntryCodec.RecordBytesMax ? 0 : FrameBytes + (long)length;
    }

    /// <summary>Whether a whole frame, record included, is what was written.</summary>
    public static bool ChecksumHolds(ReadOnlySpan<byte> frameAndRecord)
        => BinaryPrimitives.ReadUInt32LittleEndian(frameAndRecord) == FrameChecksum(frameAndRecord, frameAndRecord[FrameBytes..]);

    private static uint FrameChecksum(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> record)
        => Crc32C.Of(record, Crc32C.Of(frame[4..FrameBytes]));
}
