using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Polygraph.Protocol;
using Polygraph.Storage.Log;

namespace Polygraph.Storage.Snapshots;

/// <summary>What a snapshot holds, and how each part of it is checked. <c>docs/formats/snapshot.md</c> has the fields of its JSON form.</summary>
/// <param name="Format">The format; others than <see cref="CurrentFormat"/> are refused.</param>
/// <param name="Snapshot">Names this snapshot: no other file has its chunks.</param>
/// <param name="Cluster">The cluster.</param>
/// <param name="Group">The group.</param>
/// <param name="Node">Who made it.</param>
/// <param name="Term">The term of <see cref="Position"/>.</param>
/// <param name="Index">The index of <see cref="Position"/>.</param>
/// <param name="Terms">The first position of each term up to there.</param>
/// <param name="Bytes">The length of the database file.</param>
/// <param name="PageBytes">SQLite's page size.</param>
/// <param name="ChunkBytes">The length of each chunk but the last.</param>
/// <param name="Checksums">The CRC-32C of each chunk, four bytes each, little endian.</param>
/// <param name="Digest">The first 16 bytes of the whole file's SHA-256, in hexadecimal.</param>
/// <param name="Tables">The digest of each table at the position.</param>
/// <param name="Sqlite">The version of SQLite that wrote the file.</param>
public sealed record SnapshotManifest(
    int Format,
    Guid Snapshot,
    string Cluster,
    uint Group,
    string Node,
    ulong Term,
    ulong Index,
    IReadOnlyList<SnapshotTerm> Terms,
    long Bytes,
    int PageBytes,
    int ChunkBytes,
    byte[] Checksums,
    string Digest,
    IReadOnlyList<SnapshotTable> Tables,
    string Sqlite)
{
    public const int CurrentFormat = 1;

    /// <summary>One read, one checksum, one write: small enough to be lost with a broken connection, large enough to cost nothing.</summary>
    public const int ChunkBytesDefault = 1 << 20;

    private const int ChunkBytesMax = 64 << 20;
    private const int ChecksumBytes = sizeof(uint);

    /// <summary>The log entry whose effects are the last that the file holds.</summary>
    [JsonIgnore]
    public Position Position => new(new Term(Term), new LogIndex(Index));

    /// <summary>Where a log goes on behind this snapshot.</summary>
    [JsonIgnore]
    public LogBase Base => new(
        Position, TermHistory.FromStarts(Terms.Select(start => new Position(new Term(start.Term), new LogIndex(start.Index)))));

    [JsonIgnore]
    public int Chunks => Checksums.Length / ChecksumBytes;

    public int LengthOfChunk(int chunk) => (int)Math.Min(ChunkBytes, Bytes - ((long)chunk * ChunkBytes));

    public uint ChecksumOfChunk(int chunk) => BinaryPrimitives.ReadUInt32LittleEndian(Checksums.AsSpan(chunk * ChecksumBytes));

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, SnapshotJson.Default.SnapshotManifest);

    /// <summary>Reads a manifest and checks that it agrees with itself.</summary>
    /// <exception cref="SnapshotRefusedException">It cannot be used.</exception>
    public static SnapshotManifest FromJson(ReadOnlySpan<byte> json)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize(json, SnapshotJson.Default.SnapshotManifest) ?? throw new JsonException("it is empty");
            manifest.Check();
            return manifest;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvariantViolationException or OverflowException)
        {
            throw new SnapshotRefusedException($"its manifest cannot be read: {e.Message}", e);
        }
    }

    private void Check()
    {
        if (Format != CurrentFormat)
            throw new JsonException($"it has format {Format}, this program knows {CurrentFormat}");
        if (Terms is null || Checksums is null || Tables is null || Digest is null || Cluster is null || Node is null || Sqlite is null
            || Terms.Any(start => start is null) || Tables.Any(table => table?.Table is null || table.Digest is null))
            throw new JsonException("a field is missing");
        if (Bytes <= 0 || ChunkBytes is <= 0 or > ChunkBytesMax)
            throw new JsonException($"{Bytes.ToString(CultureInfo.InvariantCulture)} bytes in chunks of {ChunkBytes} make no sense");
        if (Checksums.Length != ChecksumBytes * ((Bytes + ChunkBytes - 1) / ChunkBytes))
            throw new JsonException("it does not have a checksum for each chunk");
        Base.Check();
    }
}

/// <summary>Where a term begins.</summary>
public sealed record SnapshotTerm(ulong Term, ulong Index);

/// <summary>The digest of a table, in hexadecimal.</summary>
public sealed record SnapshotTable(string Table, string Digest);

/// <summary>A snapshot is not what it should be: it is thrown away, and nothing of it was used.</summary>
public sealed class SnapshotRefusedException(string what, Exception? cause = null) : Exception($"The snapshot is refused: {what}", cause);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(SnapshotManifest))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
