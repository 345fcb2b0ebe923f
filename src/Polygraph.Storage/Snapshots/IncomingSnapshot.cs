using System.Security.Cryptography;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Snapshots;

/// <summary>
/// A snapshot on its way in: chunks that were checked one by one, in order, beside the manifest that they were checked against. What was
/// received survives a restart, and is checked again when the download goes on. One thread at a time.
/// </summary>
public sealed class IncomingSnapshot : IDisposable
{
    /// <summary>How often what was received is synced: so that the disk is never kept busy for long by one sync, which the log would wait for.</summary>
    private const long BytesBetweenSyncs = 32L << 20;

    private readonly IStorageFile _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _unsynced;

    private IncomingSnapshot(SnapshotManifest manifest, IStorageFile file)
    {
        Manifest = manifest;
        _file = file;
    }

    public SnapshotManifest Manifest { get; }

    /// <summary>The first chunk that is missing.</summary>
    public int NextChunk { get; private set; }

    /// <summary>Where that chunk begins.</summary>
    public long Offset => Math.Min((long)NextChunk * Manifest.ChunkBytes, Manifest.Bytes);

    public bool IsComplete => NextChunk == Manifest.Chunks;

    /// <summary>Begins with nothing; what was there of another snapshot is thrown away.</summary>
    public static IncomingSnapshot Begin(IFileSystem files, ReplicaHome home, SnapshotManifest manifest)
    {
        home.ForgetIncoming(files);
        var json = manifest.ToJson();
        files.ReplaceAtomically(home.IncomingManifest, file => file.Write(json, 0));
        var snapshot = new IncomingSnapshot(manifest, files.Open(home.IncomingFile, FileOpening.New));
        files.SyncDirectory(home.Path);
        return snapshot;
    }

    /// <summary>Goes on with what an earlier download left; null if there is nothing to go on with.</summary>
    public static IncomingSnapshot? TryResume(IFileSystem files, ReplicaHome home)
    {
        if (!files.Exists(home.IncomingManifest) || !files.Exists(home.IncomingFile))
            return null;
        SnapshotManifest manifest;
        try
        {
            manifest = ReplicaHome.ReadManifest(files, home.IncomingManifest);
        }
        catch (SnapshotRefusedException)
        {
            return null; // Damaged, or of another version: begun anew.
        }

        var snapshot = new IncomingSnapshot(manifest, files.Open(home.IncomingFile, FileOpening.Existing));
        try
        {
            snapshot.CheckWhatIsThere();
            if (!snapshot.IsComplete)
                SnapshotInstall.DropPlan(files, home); // It was made for a whole file; this one is written to again.
            return snapshot;
        }
        catch
        {
            snapshot.Dispose();
            throw;
        }
    }

    /// <summary>Checks the next chunk and keeps it.</summary>
    /// <exception cref="SnapshotRefusedException">It is not the chunk that the manifest describes; nothing was kept.</exception>
    /// <exception cref="IOException">
    /// The disk refused. What was not synced before is cut off: after a failed sync the system's memory may hold what the disk does not, and an
    /// earlier part would be found whole when the download is resumed. This object is of no more use.
    /// </exception>
    public void Add(ReadOnlySpan<byte> chunk)
    {
        if (IsComplete || chunk.Length != Manifest.LengthOfChunk(NextChunk) || Crc32C.Of(chunk) != Manifest.ChecksumOfChunk(NextChunk))
            throw new SnapshotRefusedException($"chunk {NextChunk} of {Manifest.Chunks} is not what {Manifest.Node} described.");
        var synced = Offset - _unsynced;
        try
        {
            _file.Write(chunk, Offset);
            if ((_unsynced += chunk.Length) >= BytesBetweenSyncs)
            {
                _file.Sync();
                _unsynced = 0;
            }
        }
        catch (IOException)
        {
            _file.SetLength(synced);
            throw;
        }

        _hash.AppendData(chunk);
        NextChunk++;
    }

    /// <summary>Checks the file as a whole once every chunk is there. Durable on return.</summary>
    /// <exception cref="SnapshotRefusedException">It is not the file that the manifest describes.</exception>
    public void Complete()
    {
        _file.SetLength(Manifest.Bytes);
        _file.Sync();
        var digest = SnapshotWriter.DigestOf(_hash);
        if (!IsComplete || digest != Manifest.Digest)
            throw new SnapshotRefusedException($"the file's digest is {digest}, {Manifest.Node} described {Manifest.Digest}.");
    }

    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }

    private void CheckWhatIsThere()
    {
        var buffer = new byte[Manifest.ChunkBytes];
        while (!IsComplete)
        {
            var chunk = buffer.AsSpan(0, Manifest.LengthOfChunk(NextChunk));
            if (_file.Read(chunk, Offset) != chunk.Length || Crc32C.Of(chunk) != Manifest.ChecksumOfChunk(NextChunk))
                return;
            _hash.AppendData(chunk);
            _unsynced += chunk.Length; // Whoever wrote it may not have come to that.
            NextChunk++;
        }
    }
}
