using System.Buffers.Binary;
using System.Numerics;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Checkpoints;

/// <summary>
/// SQLite's write-ahead log as a file: a header of 32 bytes with two salts, then frames of a 24-byte header and a page, each with a checksum
/// over everything before it (https://sqlite.org/fileformat2.html#walformat). Opened and closed at will beside SQLite's connections, which
/// take no file locks on it; that would not be true of the database file.
/// </summary>
internal sealed class WalFile : IDisposable
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private const int PageBytesMin = 512;
    private const int PageBytesMax = 65536;
    private const uint MagicLittleEndian = 0x377f0682;
    private const uint MagicBigEndian = 0x377f0683;

    private readonly IStorageFile _file;
    private readonly uint _magic;
    private (uint First, uint Second) _checksum;

    private WalFile(IStorageFile file, ReadOnlySpan<byte> header)
    {
        _file = file;
        _magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        PageBytes = BinaryPrimitives.ReadInt32BigEndian(header[8..]);
        Salts = BinaryPrimitives.ReadUInt64BigEndian(header[16..]);
        _checksum = Sum(header[..24], (0, 0));
    }

    /// <summary>Both salts: others after each restart of the log, so that they name its content from one restart to the next.</summary>
    public ulong Salts { get; }

    public int PageBytes { get; }

    /// <summary>Opens a write-ahead log, or gives null if there is none, or none with a valid header: then no frame of it counts.</summary>
    public static WalFile? TryOpen(IFileSystem files, string path)
    {
        if (!files.Exists(path))
            return null;
        var file = files.Open(path, FileOpening.Existing);
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (file.Read(header, 0) == HeaderBytes && BinaryPrimitives.ReadUInt32BigEndian(header) is MagicLittleEndian or MagicBigEndian)
        {
            var wal = new WalFile(file, header);
            if (wal.PageBytes is >= PageBytesMin and <= PageBytesMax
                && BitOperations.IsPow2(wal.PageBytes)
                && wal._checksum == (BinaryPrimitives.ReadUInt32BigEndian(header[24..]), BinaryPrimitives.ReadUInt32BigEndian(header[28..])))
                return wal;
        }

        file.Dispose();
        return null;
    }

    /// <summary>Whether a write-ahead log is there and has no bytes, as SQLite leaves it after a complete checkpoint.</summary>
    public static bool IsEmpty(IFileSystem files, string path)
    {
        if (!files.Exists(path))
            return false;
        using var file = files.Open(path, FileOpening.ReadOnly);
        return file.Length == 0;
    }

    /// <summary>Whether frame <paramref name="number"/> (from 1) is there, belongs to this content and ends a transaction.</summary>
    public bool IsCommit(long number)
    {
        Span<byte> header = stackalloc byte[FrameHeaderBytes];
        return number > 0
            && EndOf(number) <= _file.Length
            && _file.Read(header, EndOf(number - 1)) == FrameHeaderBytes
            && BinaryPrimitives.ReadUInt32BigEndian(header[4..]) != 0
            && BinaryPrimitives.ReadUInt64BigEndian(header[8..]) == Salts;
    }

    /// <summary>Whether all frames up to <paramref name="number"/> are what was written, the last of them a commit. Reads them all.</summary>
    public bool HoldsWhole(long number)
    {
        if (!IsCommit(number))
            return false;
        var checksum = _checksum;
        var frame = new byte[FrameHeaderBytes + PageBytes];
        for (long at = 1; at <= number; at++)
        {
            if (_file.Read(frame, EndOf(at - 1)) != frame.Length || BinaryPrimitives.ReadUInt64BigEndian(frame.AsSpan(8)) != Salts)
                return false;
            checksum = Sum(frame.AsSpan(FrameHeaderBytes), Sum(frame.AsSpan(0, 8), checksum));
            if (checksum != (BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(16)), BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(20))))
                return false;
        }

        return true;
    }

    /// <summary>Cuts everything behind a frame. Durable on return.</summary>
    public void TruncateAfter(long number)
    {
        _file.SetLength(EndOf(number));
        _file.Sync();
    }

    /// <summary>Makes all frames durable.</summary>
    public void Sync() => _file.Sync();

    public void Dispose() => _file.Dispose();

    private long EndOf(long number) => HeaderBytes + (number * (FrameHeaderBytes + PageBytes));

    /// <summary>SQLite's own running sum, over words in the byte order that the magic number names.</summary>
    private (uint First, uint Second) Sum(ReadOnlySpan<byte> bytes, (uint First, uint Second) sum)
    {
        var (first, second) = sum;
        for (var at = 0; at < bytes.Length; at += 8)
        {
            first += Word(bytes[at..]) + second;
            second += Word(bytes[(at + 4)..]) + first;
        }

        return (first, second);
    }

    private uint Word(ReadOnlySpan<byte> bytes)
        => _magic == MagicBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
