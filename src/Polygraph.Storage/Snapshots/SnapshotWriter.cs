using System.Buffers.Binary;
using System.Security.Cryptography;
using Polygraph.Protocol;
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
public static class SnapshotWriter
{
    /// <summary>One step copies a MiB of usual pages; between two steps a stop is noticed.</summary>
    private const int PagesAStep = 256;

    /// <summary>
    /// Copies what a snapshot shows and describes it. Durable on return. The caller answers for that the snapshot's position is committed.
    /// </summary>
    /// <param name="snapshot">What is copied; stays the caller's.</param>
    /// <param name="terms">The terms of the log, at least up to the snapshot's position.</param>
    /// <param name="owner">Whose it is.</param>
    /// <param name="path">Where the copy goes; what is there is replaced.</param>
    /// <param name="cancellation">Stops the copy.</param>
    public static SnapshotManifest Write(Snapshot snapshot, TermHistory terms, SnapshotOwner owner, string path, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        snapshot.CopyTo(path, cancellation);
        var (bytes, checksums, digest) = Sum(path, cancellation);
        DiskFileSystem.Instance.SyncDirectory(FileRecipes.DirectoryOf(path));
        var facts = snapshot.Describe();
        return new SnapshotManifest(
            SnapshotManifest.CurrentFormat,
            Guid.CreateVersion7(),
            owner.Cluster.ToString(),
            owner.Group.Value,
            owner.Node.Value,
            snapshot.Position.Term.Value,
            snapshot.Position.Index.Value,
            [.. terms.CutFrom(snapshot.Position.Index.Next).Starts.Select(start => new SnapshotTerm(start.Term.Value, start.Index.Value))],
            bytes,
            facts.PageBytes,
            SnapshotManifest.ChunkBytesDefault,
            checksums,
            digest,
            [.. facts.Digests.OrderBy(table => table.Key, StringComparer.Ordinal).Select(table => new SnapshotTable(table.Key, table.Value.ToString()))],
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
    }

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

/// <summary>What a snapshot says of itself.</summary>
/// <param name="PageBytes">SQLite's page size.</param>
/// <param name="Digests">The digest kept for each table.</param>
internal sealed record SnapshotFacts(int PageBytes, IReadOnlyDictionary<string, Digest128> Digests);
