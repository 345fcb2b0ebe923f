using System.Buffers.Binary;
using System.Text;
using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Log;

/// <summary>The start of a segment: whose entries it holds, and which entry comes right before its first.</summary>
/// <param name="Group">The group.</param>
/// <param name="First">The index of the first entry.</param>
/// <param name="PreviousTerm">The term of the entry before it; zero if there is none.</param>
/// <param name="Note">For people: why a file of cut entries exists. Empty in a log's own segments.</param>
internal readonly record struct SegmentHeader(GroupId Group, LogIndex First, Term PreviousTerm, string Note = "")
{
    private const byte CurrentFormat = 1;
    private const int NoteBytesMax = 1024;

    private static ReadOnlySpan<byte> Magic => "PLYGRSEG"u8;

    /// <summary>The position right before the first entry.</summary>
    public Position Previous => new(PreviousTerm, First.Previous);

    public byte[] Encode()
    {
        var note = Encoding.UTF8.GetBytes(Note);
        if (note.Length > NoteBytesMax)
            note = note[..NoteBytesMax]; // A letter cut in half reads as U+FFFD: it is for people only.

        var bytes = new byte[SegmentFormat.HeaderBytes + note.Length];
        Magic.CopyTo(bytes);
        bytes[8] = CurrentFormat;
        bytes[9] = CurrentFormat; // The oldest format whose reader may read this.
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(10), (ushort)bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Group.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), First.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), PreviousTerm.Value);
        note.CopyTo(bytes.AsSpan(SegmentFormat.HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(SegmentFormat.HeaderBytes - 4), Checksum(bytes));
        return bytes;
    }

    /// <summary>Reads a header and says how long it is, which is where the first frame begins.</summary>
    public static (SegmentHeader Header, int Bytes) Read(IStorageFile file, string path)
    {
        var buffer = new byte[SegmentFormat.HeaderBytes + NoteBytesMax];
        var available = buffer.AsSpan(0, file.Read(buffer, 0));
        if (available.Length < SegmentFormat.HeaderBytes || !available.StartsWith(Magic))
            throw Damaged(path, 0, "it does not begin as a segment does.");
        if (available[9] > CurrentFormat)
            throw Damaged(path, 9, $"it has format {available[8]} and needs a reader of format {available[9]}: this version is too old for it.");

        var length = BinaryPrimitives.ReadUInt16LittleEndian(available[10..]);
        if (length < SegmentFormat.HeaderBytes || length > available.Length)
            throw Damaged(path, 10, $"its header claims {length} bytes.");
        if (BinaryPrimitives.ReadUInt32LittleEndian(available[(SegmentFormat.HeaderBytes - 4)..]) != Checksum(available[..length]))
            throw Damaged(path, 0, "the checksum of its header is wrong.");

        var header = new SegmentHeader(
            new GroupId(BinaryPrimitives.ReadUInt32LittleEndian(available[12..])),
            new LogIndex(BinaryPrimitives.ReadUInt64LittleEndian(available[16..])),
            new Term(BinaryPrimitives.ReadUInt64LittleEndian(available[24..])),
            Encoding.UTF8.GetString(available[SegmentFormat.HeaderBytes..length]));
        return header.First == LogIndex.Zero ? throw Damaged(path, 16, "it begins at index 0, which no entry has.") : (header, length);
    }

    /// <summary>Over everything but the checksum itself.</summary>
    private static uint Checksum(ReadOnlySpan<byte> header)
        => Crc32C.Of(header[SegmentFormat.HeaderBytes..], Crc32C.Of(header[..(SegmentFormat.HeaderBytes - 4)]));

    private static LogCorruptedException Damaged(string path, long offset, string what) => new(path, offset, Position.Zero, what);
}
