using System.Buffers.Binary;
using System.Security.Cryptography;
using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Files;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Snapshots;

/// <summary>Whose snapshot it is.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="Group">The group.</param>
/// <param name="Node">The node that makes it.</param>
public sealed record SnapshotOwner(ClusterId Cluster, GroupId Group, NodeId Node);

/// <summary>
/// Writes one state of a database into a file of its own while the database is written on. The pages come out of a read snapshot, through
/// SQLite's own backup interface: so the file is the state of exactly one entry, and the database file is never opened beside SQLite, which
/// would drop SQLite's locks on it.
/// </summary>
public static partial class SnapshotWriter
{
    /// <summary>One step copies a MiB of usual pages; between two steps a stop is noticed.</summary>
    private const int PagesAStep = 256;

    /// <summary>
    /// Copies what a snapshot shows. Not durable on return. The snapshot is not needed any more then: give it back at once, because syncing and
    /// summing gigabytes takes longer than a replica that must rewind waits for its readers.
    /// </summary>
    /// <param name="snapshot">What is copied; stays the caller's. When its readers are drained the copy stops.</param>
    /// <param name="path">Where the copy goes; what is there is replaced.</param>
    /// <param name="cancellation">Stops the copy.</param>
    /// <exception cref="ReplicaUnavailableException">The database is being closed or rebuilt.</exception>
    public static SnapshotCopy Copy(Snapshot snapshot, string path, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        var facts = snapshot.Describe();
        snapshot.CopyTo(path, cancellation);
        return new SnapshotCopy(path, snapshot.Position, facts);
    }

    /// <summary>Makes a copy durable and describes it. The caller answers for that its position is committed.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="snapshot">What the snapshot is called: no other file may have its name.</param>
    /// <param name="terms">The terms of the log, at least up to the copy's position.</param>
    /// <param name="owner">Whose it is.</param>
    /// <param name="cancellation">Stops the summing.</param>
    public static SnapshotManifest Describe(SnapshotCopy copy, Guid snapshot, TermHistory terms, SnapshotOwner owner, CancellationToken cancellation)
    {
        var (bytes, checksums, digest) = Sum(copy.Path, cancellation);
        DiskFileSystem.Instance.SyncDirectory(FileRecipes.DirectoryOf(copy.Path));
        return new SnapshotManifest(
            SnapshotManifest.CurrentFormat,
            snapshot,
            owner.Cluster.ToString(),
            owner.Group.Value,
            owner.Node.Value,
            copy.Position.Term.Value,
            copy.Position.Index.Value,
            [.. terms.CutFrom(copy.Position.Index.Next).Starts.Select(start => new SnapshotTerm(start.Term.Value, start.Index.Value))],
            bytes,
            copy.Facts.PageBytes,
            SnapshotManifest.ChunkBytesDefault,
            checksums,
            digest,
            [.. copy.Facts.Digests.Where(table => !SqlName.IsOwn(table.Key)).OrderBy(table => table.Key, StringComparer.Ordinal).Select(table => new SnapshotTable(table.Key, table.Value.ToString()))],
            SqliteLibrary.Version);
    }

    /// <summary>Copies every page that the open read transaction of a connection shows.</summary>
    internal static unsafe void CopyPages(SqliteConnection source, string path, Action throwIfStopped)
    {
        using var target = SqliteConnection.Open(path, readOnly: false);

        // A copy that a crash interrupts is thrown away, so SQLite need not be able to undo it.
        target.Execute("PRAGMA journal_mode=OFF");
        target.Execute("PRAGMA synchronous=OFF");
        fixed (byte* main = "main\0"u8)
        {
            var backup = NativeMethods.sqlite3_backup_init(target.Pointer, main, source.Pointer, main);
            if (backup == 0)
                throw target.LastError();
            try
            {
                int code;
                while ((code = NativeMethods.sqlite3_backup_step(backup, PagesAStep)) == SqliteCode.Ok)
                    throwIfStopped();
                if (code != SqliteCode.Done)
                    throw new SqliteException(code, $"Copying pages to {path} failed: {SqliteCode.NameOf(code)}.");
            }
            finally
            {
                _ = NativeMethods.sqlite3_backup_finish(backup); // Repeats the error of the last step.
            }
        }

        PlantLoss("SnapshotWithoutKeys", target);
    }

    static partial void PlantLoss(string bug, SqliteConnection copy);

    private static (long Bytes, byte[] Checksums, string Digest) Sum(string path, CancellationToken cancellation)
    {
        using var file = DiskFileSystem.Instance.Open(path, FileOpening.Existing);
        file.Sync();
        var length = file.Length;
        var checksums = new byte[sizeof(uint) * ((length + SnapshotManifest.ChunkBytesDefault - 1) / SnapshotManifest.ChunkBytesDefault)];
        var chunk = new byte[SnapshotManifest.ChunkBytesDefault];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < checksums.Length / sizeof(uint); i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var content = chunk.AsSpan(0, file.Read(chunk, (long)i * chunk.Length));
            BinaryPrimitives.WriteUInt32LittleEndian(checksums.AsSpan(i * sizeof(uint)), Crc32C.Of(content));
            hash.AppendData(content);
        }

        return (length, checksums, DigestOf(hash));
    }

    internal static string DigestOf(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
}

/// <summary>A copy that is not yet summed, and may not be durable.</summary>
public sealed class SnapshotCopy
{
    internal SnapshotCopy(string path, Position position, SnapshotFacts facts) => (Path, Position, Facts) = (path, position, facts);

    public string Path { get; }

    /// <summary>The log entry whose effects are the last that the copy holds.</summary>
    public Position Position { get; }

    internal SnapshotFacts Facts { get; }
}

/// <summary>What a snapshot says of itself.</summary>
/// <param name="PageBytes">SQLite's page size.</param>
/// <param name="Digests">The digest kept for each table.</param>
internal sealed record SnapshotFacts(int PageBytes, IReadOnlyDictionary<string, Digest128> Digests);
