using System.Buffers.Binary;
using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Checkpoints;

/// <summary>
/// Says what the database file was when it was last known to be the state of a position, and which: a file that is still as its seal says was not
/// changed while nobody looked, so its rows need not be read before they are served. The position is committed whatever became of the file. There is
/// no seal while a checkpoint runs.
/// </summary>
/// <param name="Position">The log entry whose effects are the last in the file. Durable and committed.</param>
/// <param name="Stamp">The file at that moment.</param>
public readonly record struct DatabaseSeal(Position Position, FileStamp Stamp)
{
    private const int Bytes = 64;
    private const int ChecksumAt = Bytes - 4;

    private static ReadOnlySpan<byte> Magic => "PLYGRSL1"u8;

    /// <summary>Where the seal of a database is.</summary>
    public static string PathFor(string databasePath) => databasePath + "-seal";

    /// <summary>
    /// Seals a database file, which must be the state of <paramref name="position"/> and must not change before the seal is broken. Durable on
    /// return, with all names of its directory.
    /// </summary>
    public static void Write(IFileSystem files, string databasePath, Position position)
    {
        if (FileStamp.Of(databasePath) is not { } stamp)
            throw new FileNotFoundException($"The database file '{databasePath}' is gone.", databasePath);
        var bytes = new byte[Bytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), position.Term.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), position.Index.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), stamp.Bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), stamp.Inode);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(40), stamp.ModifiedNanoseconds);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(48), stamp.ChangedNanoseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumAt), Crc32C.Of(bytes.AsSpan(0, ChecksumAt)));
        files.ReplaceAtomically(PathFor(databasePath), file => file.Write(bytes, 0));
    }

    /// <summary>The seal of a database; null if there is none that can be read, which costs a reading of the file and nothing else.</summary>
    public static DatabaseSeal? Read(IFileSystem files, string databasePath)
    {
        var path = PathFor(databasePath);
        if (!files.Exists(path))
            return null;
        using var file = files.Open(path, FileOpening.ReadOnly);
        Span<byte> bytes = stackalloc byte[Bytes + 1];
        if (file.Read(bytes, 0) != Bytes
            || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]) != Crc32C.Of(bytes[..ChecksumAt]))
        {
            return null;
        }

        return new DatabaseSeal(
            new(
                new Term(BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..])),
                new LogIndex(BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]))),
            new(
                BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[48..])));
    }

    /// <summary>Whether the file is as it was sealed, and no checkpoint has begun since. To be asked before recovery, which may finish one.</summary>
    public bool Fits(IFileSystem files, string databasePath)
        => !files.Exists(CheckpointMarker.PathFor(databasePath)) && FileStamp.Of(databasePath) == Stamp;

    /// <summary>Before the file may change. Durable when the directory is synced next.</summary>
    internal static void Break(IFileSystem files, string databasePath)
    {
        files.Delete(PathFor(databasePath) + FileRecipes.TemporarySuffix);
        files.Delete(PathFor(databasePath));
    }
}
