using System.Buffers.Binary;
using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Checkpoints;

/// <summary>
/// Says, while it is there, that the database file may be half-way to what the write-ahead log holds up to a frame, and that this frame's state
/// is durable and committed: so recovery must finish, and must go no further.
/// </summary>
/// <param name="Salts">Which content of the write-ahead log.</param>
/// <param name="LastFrame">The frame of that content, from 1, that ends the last transaction.</param>
/// <param name="Position">The log entry whose effects that transaction holds.</param>
internal readonly record struct CheckpointMarker(ulong Salts, long LastFrame, Position Position)
{
    private const int Bytes = 48;
    private const int ChecksumAt = Bytes - 4;

    private static ReadOnlySpan<byte> Magic => "PLYGRCK1"u8;

    public static string PathFor(string databasePath) => databasePath + "-checkpoint";

    /// <summary>Durable on return; takes the place of an older marker.</summary>
    public void Write(IFileSystem files, string databasePath)
    {
        var bytes = new byte[Bytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), Salts);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), LastFrame);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), Position.Term.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), Position.Index.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumAt), Crc32C.Of(bytes.AsSpan(0, ChecksumAt)));
        files.ReplaceAtomically(PathFor(databasePath), file => file.Write(bytes, 0));
    }

    /// <summary>The marker of a database, null if there is none.</summary>
    /// <exception cref="DatabaseDamagedException">There is one, and it cannot be read.</exception>
    public static CheckpointMarker? Read(IFileSystem files, string databasePath)
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
            throw new DatabaseDamagedException(databasePath, $"its checkpoint marker '{path}' cannot be read, so it may be half-way between two states.");
        }

        return new(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
            new(
                new Term(BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..])),
                new LogIndex(BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]))));
    }

    public static void Remove(IFileSystem files, string databasePath) => files.DeleteDurably(PathFor(databasePath));
}
