using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Control;
using Polygraph.Node.Importing;
using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Storage.Files;
using Polygraph.Storage.Seeds;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Exporting;

/// <summary>
/// Makes plain SQLite files of this node's copies, each in <c>exports/</c> of the data directory while it is given away. Writes go on
/// meanwhile: the copy is of one snapshot.
/// </summary>
internal sealed class Exports(string dataDirectory, NodeId self, Gateway gateway, ReplicaFactory factory, ILogger logger)
{
    /// <summary>Each takes as much disk as the database, and holds a snapshot while it is copied.</summary>
    private const int AtOneTimeMax = 2;

    private readonly string _root = Emptied(Path.Combine(dataDirectory, "exports"));
    private readonly SemaphoreSlim _slots = new(AtOneTimeMax);

    /// <summary>A file that holds one state of the database, as fresh as the request asks. Dispose it to remove it.</summary>
    public async Task<(ExportedFile? File, SqlProblem? Problem)> MakeAsync(SqlRequest request, CancellationToken client)
    {
        if (!await _slots.WaitAsync(TimeSpan.Zero, client).ConfigureAwait(false))
            return (null, Refuse(503, "BUSY", $"{self} makes {AtOneTimeMax} exports already. Try again when they are done, or another node."));
        var path = Path.Combine(_root, $"{Guid.NewGuid():N}.sqlite");
        ExportedFile? file = null;
        try
        {
            var (replica, read) = await gateway.PinAsync(request, client).ConfigureAwait(false);
            if (read.Problem is not null)
                return (null, read.Problem);
            string digest;
            using (var snapshot = read.Snapshot!)
            {
                if (NoRoom(factory.HomeOf(replica!.Database).Database) is { } full)
                    return (null, full);
                digest = DatabaseDigest.Of(replica.Read(() => snapshot.Execute(DatabaseDigest.Query)));

                await Task.Run(() => replica.Copy(() => DatabaseExport.Write(snapshot, path, client), client), client).ConfigureAwait(false);
            }

            // The snapshot is given back before this: a leader that must rewind waits for it.
            var sha256 = await SumAsync(path, client).ConfigureAwait(false);
            file = new ExportedFile(path, new FileInfo(path).Length, sha256, digest, read.Report!, _slots);
            ImportLog.Exported(logger, request.Database, file.Read.Position, file.Bytes);
            return (file, null);
        }
        catch (ReplicaUnavailableException e)
        {
            return (null, Problems.Unavailable(self, e.Message));
        }
        catch (Exception e) when (DiskTrouble.IsOfTheDisk(e))
        {
            return (null, Refuse(507, "NO_ROOM", $"{self} cannot make its copy: {e.Message.TrimEnd('.')}. Ask another node."));
        }
        finally
        {
            if (file is null)
                GiveUp(path);
        }
    }

    private void GiveUp(string path)
    {
        try
        {
            File.Delete(path);
        }
        finally
        {
            _slots.Release();
        }
    }

    // What an earlier run left belongs to nobody.
    private static string Emptied(string root)
    {
        if (Directory.Exists(root))
            Directory.Delete(root, recursive: true);
        Directory.CreateDirectory(root);
        return root;
    }

    private SqlProblem? NoRoom(string databasePath)
    {
        var wal = new FileInfo(databasePath + "-wal");
        var bytes = new FileInfo(databasePath).Length + (wal.Exists ? wal.Length : 0);
        return DiskRoom.Lack(_root, bytes) is { } lack ? Refuse(507, "NO_ROOM", $"{self}: {lack}. Ask another node.") : null;
    }

    private static async Task<string> SumAsync(string path, CancellationToken cancellation)
    {
        await using var stream = new FileStream(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false));
    }

    private static SqlProblem Refuse(int status, string code, string detail) => new(status, code, "The database cannot be exported here now", detail, Outcome.NotApplied);
}

/// <summary>A database as a plain file, until disposed.</summary>
internal sealed record ExportedFile(string Path, long Bytes, string Sha256, string Digest, ReadReport Read, SemaphoreSlim Slot) : IDisposable
{
    public void Dispose()
    {
        try
        {
            File.Delete(Path);
        }
        finally
        {
            Slot.Release();
        }
    }
}
