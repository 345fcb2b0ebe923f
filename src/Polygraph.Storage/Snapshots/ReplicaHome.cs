using Polygraph.Storage.Files;

namespace Polygraph.Storage.Snapshots;

/// <summary>The names in a replica's directory. Those of a swap are all in one directory, so that each step of it is one rename.</summary>
/// <param name="Path">The directory.</param>
public sealed record ReplicaHome(string Path)
{
    /// <summary>The ending of the parts of a damaged log that were put aside.</summary>
    public const string DamagedSuffix = ".damaged";

    public string Log => In("log");

    public string Vote => In("vote");

    public string Database => In("database.sqlite");

    /// <summary>The copy that was replaced, until the new one is open.</summary>
    public string Replaced => In("database.sqlite-replaced");

    /// <summary>What of a snapshot was received so far.</summary>
    public string IncomingFile => In("snapshot.sqlite");

    public string IncomingManifest => In("snapshot.json");

    /// <summary>While it is there, a verified snapshot is being put in place, and opening the replica finishes that first.</summary>
    public string InstallMarker => In("install.json");

    /// <summary>While it is there, this replica's log may lack entries that it once acknowledged: see <see cref="RelearnMarker"/>.</summary>
    public string Relearn => In("relearn");

    /// <summary>Snapshots for others.</summary>
    public string Outgoing => In("snapshots");

    /// <summary>Throws away what was received and not installed. Durable on return.</summary>
    public void ForgetIncoming(IFileSystem files)
    {
        SnapshotInstall.DropPlan(files, this);
        foreach (var path in (string[])[IncomingManifest, IncomingFile])
        {
            if (files.Exists(path))
                files.Delete(path);
        }

        files.SyncDirectory(Path);
    }

    internal static SnapshotManifest ReadManifest(IFileSystem files, string path)
    {
        using var file = files.Open(path, FileOpening.ReadOnly);
        var json = new byte[file.Length];
        return SnapshotManifest.FromJson(json.AsSpan(0, file.Read(json, 0)));
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}

/// <summary>
/// Says, while it is there, that the log of this replica was damaged or lost: it may have acknowledged entries that it no longer holds, so it
/// must neither vote nor stand for election until it holds everything that is committed again.
/// </summary>
public static class RelearnMarker
{
    public static bool IsSet(IFileSystem files, ReplicaHome home) => files.Exists(home.Relearn);

    /// <summary>Durable on return; before anything is done to the log.</summary>
    public static void Set(IFileSystem files, ReplicaHome home)
    {
        if (!IsSet(files, home))
            files.ReplaceAtomically(home.Relearn, file => file.Write("The log was damaged: neither vote nor stand for election before it is whole again.\n"u8, 0));
    }

    public static void Remove(IFileSystem files, ReplicaHome home)
    {
        if (IsSet(files, home))
            files.DeleteDurably(home.Relearn);
    }
}
