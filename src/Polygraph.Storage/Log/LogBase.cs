using System.Buffers.Binary;
using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Log;

/// <summary>Where a log begins: the entry right before its first one, and the terms of all entries up to there.</summary>
/// <param name="Position">The entry before the first; <see cref="Position.Zero"/> if the log begins with the group's first entry.</param>
/// <param name="Terms">The full history of terms up to that entry and no further: what older session tokens are checked against.</param>
public sealed record LogBase(Position Position, TermHistory Terms)
{
    /// <summary>The base of a log that begins with the group's first entry.</summary>
    public static readonly LogBase None = new(Position.Zero, TermHistory.Empty);

    /// <exception cref="InvariantViolationException">The terms are not those of the position.</exception>
    internal void Check()
        => Invariant.Holds(
            Terms.TermAt(Position.Index) == Position.Term && (Terms.Starts.Count == 0 || Terms.Starts[^1].Index <= Position.Index),
            "a log's base has the terms up to its position and no further");
}

/// <summary>
/// The file that says where a log begins, once that is no longer the group's first entry. Replaced atomically and durably before anything that it
/// leaves out is deleted; so what stands before it in the directory is what a crash kept from being deleted.
/// </summary>
/// <param name="Base">Where the log begins.</param>
/// <param name="ReplacesAll">The whole log is being replaced: no segment that is there counts.</param>
internal readonly record struct LogBaseFile(LogBase Base, bool ReplacesAll)
{
    public const string FileName = "base";

    private const int HeaderBytes = 40;
    private const int StartBytes = 16;
    private const int ChecksumBytes = 4;

    private static ReadOnlySpan<byte> Magic => "PLYGRLB1"u8;

    /// <summary>Durable on return; takes the place of an older one.</summary>
    public void Write(IFileSystem files, string directory, GroupId group)
    {
        Base.Check();
        var bytes = Encode(group);
        files.ReplaceAtomically(Path.Combine(directory, FileName), file => file.Write(bytes, 0));
    }

    /// <summary>The base of the log in a directory; <see cref="LogBase.None"/> if there is no file. Without a group, of whichever it is.</summary>
    /// <exception cref="LogCorruptedException">There is one and it cannot be read, or it belongs to another group.</exception>
    public static LogBaseFile Read(IFileSystem files, string directory, GroupId? group)
    {
        var path = Path.Combine(directory, FileName);
        if (!files.Exists(path))
            return new(LogBase.None, ReplacesAll: false);

        using var file = files.Open(path, FileOpening.ReadOnly);
        var bytes = new byte[file.Length];
        var read = file.Read(bytes, 0);
        if (read < HeaderBytes + ChecksumBytes || !bytes.AsSpan().StartsWith(Magic))
            throw Damaged("it does not begin as a log's base does.");
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(read - ChecksumBytes)) != Crc32C.Of(bytes.AsSpan(0, read - ChecksumBytes)))
            throw Damaged("its checksum is wrong.");
        var owner = new GroupId(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)));
        if (group is not null && owner != group)
            throw Damaged($"it belongs to group {owner}, not {group}.");
        try
        {
            return Decode(bytes.AsSpan(0, read));
        }
        catch (InvariantViolationException senseless)
        {
            throw Damaged($"its checksum is right, but it says what no log can: {senseless.Message}");
        }

        LogCorruptedException Damaged(string what) => new(path, 0, Position.Zero, what);
    }

    private byte[] Encode(GroupId group)
    {
        var starts = Base.Terms.Starts;
        var bytes = new byte[HeaderBytes + (StartBytes * starts.Count) + ChecksumBytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), group.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), ReplacesAll ? 1u : 0u);
        WritePosition(bytes.AsSpan(16), Base.Position);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(32), (uint)starts.Count);
        for (var i = 0; i < starts.Count; i++)
            WritePosition(bytes.AsSpan(HeaderBytes + (StartBytes * i)), starts[i]);
        var checksumAt = bytes.Length - ChecksumBytes;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(checksumAt), Crc32C.Of(bytes.AsSpan(0, checksumAt)));
        return bytes;
    }

    private static LogBaseFile Decode(ReadOnlySpan<byte> bytes)
    {
        var count = BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]);
        Invariant.Holds(bytes.Length == HeaderBytes + ((long)StartBytes * count) + ChecksumBytes, "a log's base has as many terms as it says");
        var starts = new Position[count];
        for (var i = 0; i < starts.Length; i++)
            starts[i] = ReadPosition(bytes[(HeaderBytes + (StartBytes * i))..]);
        var start = new LogBase(ReadPosition(bytes[16..]), TermHistory.FromStarts(starts));
        start.Check();
        return new(start, BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) != 0);
    }

    private static void WritePosition(Span<byte> bytes, Position position)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, position.Term.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], position.Index.Value);
    }

    private static Position ReadPosition(ReadOnlySpan<byte> bytes)
        => new(
            new Term(BinaryPrimitives.ReadUInt64LittleEndian(bytes)), new LogIndex(BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..])));
}
