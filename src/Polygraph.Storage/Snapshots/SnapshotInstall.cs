using System.Text.Json;
using System.Text.Json.Serialization;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;

namespace Polygraph.Storage.Snapshots;

/// <summary>What becomes of the replica's own log when a snapshot is put in place.</summary>
public enum LogFate : byte
{
    /// <summary>It holds the snapshot's position, so it goes on as it is.</summary>
    Keep = 0,

    /// <summary>It ends before the snapshot, or history went on without its end: an empty one goes on behind the snapshot.</summary>
    Reset = 1,

    /// <summary>It is damaged: its files are put aside, and an empty one goes on behind the snapshot. The relearn marker must be set.</summary>
    Create = 2,
}

/// <summary>
/// Puts a verified snapshot in the place of a replica's database, and its log behind it if need be. The marker is the moment of decision: before it
/// is durable the old replica is untouched; after it, every opening of the replica finishes what is left, and each step can be repeated.
/// </summary>
public static partial class SnapshotInstall
{
    private const string ResetReason = "A snapshot took the place of this log, which no longer reached the leader's.";

    // SQLite's companions of a database file, and ours.
    private static readonly string[] Companions = ["", "-wal", "-shm", "-checkpoint", "-seal"];

    /// <summary>What the own log, which is not damaged, must become so that it goes on from a snapshot.</summary>
    /// <exception cref="SnapshotRefusedException">The snapshot is older than the log's beginning: the log could not be kept, and must not be lost.</exception>
    public static LogFate FateOf(ReplicationLog log, SnapshotManifest manifest)
    {
        var at = manifest.Position;
        if (at.Index < log.First.Previous)
            throw new SnapshotRefusedException($"it ends at {at}, and this replica's log begins only at {log.First}.");
        var fate = at.Index <= log.Last.Index && log.Terms.TermAt(at.Index) == at.Term ? LogFate.Keep : LogFate.Reset;
        Plant("SnapshotWithoutItsTail", ref fate, LogFate.Keep);
        return fate;
    }

    /// <summary>Decides. Nothing of the replica may be open. What was received must be complete and verified.</summary>
    public static void Begin(IFileSystem files, ReplicaHome home, SnapshotManifest manifest, LogFate log)
    {
        WritePlan(files, home, new InstallPlan(log, manifest));
    }

    /// <summary>Finishes an installation if one was begun; nothing of the replica may be open. Durable on return. Says whether there was one.</summary>
    /// <exception cref="LogCorruptedException">The log was to be kept or reset, and is damaged.</exception>
    public static bool Finish(IFileSystem files, ReplicaHome home, GroupId group, ReplicationLogOptions options)
    {
        if (!files.Exists(home.InstallMarker))
            return false;
        var plan = ReadPlan(files, home);
        if (!plan.Swapped)
        {
            // Not there: it was moved before a crash. From here on what stands in its place is of another download, and not verified.
            if (files.Exists(home.IncomingFile))
                SwapDatabase(files, home);
            WritePlan(files, home, plan with { Swapped = true });
        }

        switch (plan.Log)
        {
            case LogFate.Reset:
                Reset(files, home, group, plan.Manifest.Base, options);
                break;
            case LogFate.Create:
                Create(files, home, group, plan.Manifest.Base, options);
                break;
        }

        if (files.Exists(home.IncomingManifest))
            files.Delete(home.IncomingManifest);
        files.DeleteDurably(home.InstallMarker);
        return true;
    }

    /// <summary>
    /// Gives up an installation whose snapshot was not put in place yet, because the file that it decided about goes away. Durable on return. One
    /// whose snapshot is in place stands: only the log is left to be done, and no file that comes in is touched by that.
    /// </summary>
    internal static void DropPlan(IFileSystem files, ReplicaHome home)
    {
        if (files.Exists(home.InstallMarker) && !ReadPlan(files, home).Swapped)
            files.DeleteDurably(home.InstallMarker);
    }

    /// <summary>Removes the copy that was replaced: once the new one is open.</summary>
    public static void ForgetReplaced(IFileSystem files, ReplicaHome home)
    {
        foreach (var companion in Companions)
        {
            if (files.Exists(home.Replaced + companion))
                files.Delete(home.Replaced + companion);
        }

        files.SyncDirectory(home.Path);
    }

    /// <summary>Whether parts of a damaged log were put aside and nobody has removed them since.</summary>
    public static bool HasDamagedLog(IFileSystem files, ReplicaHome home)
        => files.List(home.Log).Any(name => name.EndsWith(ReplicaHome.DamagedSuffix, StringComparison.Ordinal));

    // As in GroupCore: nothing at all in a build without planted bugs.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    private static void WritePlan(IFileSystem files, ReplicaHome home, InstallPlan plan)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(plan, InstallJson.Default.InstallPlan);
        files.ReplaceAtomically(home.InstallMarker, file => file.Write(json, 0));
    }

    private static InstallPlan ReadPlan(IFileSystem files, ReplicaHome home)
    {
        using var file = files.Open(home.InstallMarker, FileOpening.ReadOnly);
        var json = new byte[file.Length];
        return JsonSerializer.Deserialize(json.AsSpan(0, file.Read(json, 0)), InstallJson.Default.InstallPlan)
            ?? throw new InvalidDataException($"'{home.InstallMarker}' is empty.");
    }

    // Everything of the old database goes before the new one comes, so that neither ever stands beside the other's write-ahead log.
    private static void SwapDatabase(IFileSystem files, ReplicaHome home)
    {
        foreach (var companion in Companions)
        {
            if (files.Exists(home.Database + companion))
                files.Rename(home.Database + companion, home.Replaced + companion);
        }

        files.SyncDirectory(home.Path);
        files.Rename(home.IncomingFile, home.Database);
        files.SyncDirectory(home.Path);
    }

    private static void Reset(IFileSystem files, ReplicaHome home, GroupId group, LogBase start, ReplicationLogOptions options)
    {
        using var log = ReplicationLog.Open(files, home.Log, group, options);
        if (log.First.Previous != start.Position.Index || log.Last != start.Position)
            log.ResetTo(start, ResetReason);
    }

    private static void Create(IFileSystem files, ReplicaHome home, GroupId group, LogBase start, ReplicationLogOptions options)
    {
        if (IsBehind(files, home, group, start, options))
            return;

        // Kept, because a damaged log may hold acknowledged entries that exist nowhere else.
        foreach (var name in files.List(home.Log).Where(name => name.EndsWith(SegmentFormat.FileSuffix, StringComparison.Ordinal) || name == LogBaseFile.FileName))
            files.Rename(Path.Combine(home.Log, name), Path.Combine(home.Log, name + ReplicaHome.DamagedSuffix));
        ReplicationLog.Create(files, home.Log, group, start, options).Dispose();
    }

    /// <summary>Whether the empty log was made already, before a crash.</summary>
    private static bool IsBehind(IFileSystem files, ReplicaHome home, GroupId group, LogBase start, ReplicationLogOptions options)
    {
        try
        {
            if (!files.Exists(Path.Combine(home.Log, LogBaseFile.FileName)) || LogBaseFile.Read(files, home.Log, group).Base.Position != start.Position)
                return false;
            using var log = ReplicationLog.Open(files, home.Log, group, options);
            return log.Last == start.Position;
        }
        catch (LogCorruptedException)
        {
            return false; // That is why it is to be made anew.
        }
    }
}

/// <param name="Log">What becomes of the log.</param>
/// <param name="Manifest">What is put in place.</param>
/// <param name="Swapped">Whether the database file is in its place, so that the file that comes in, if there is one, is of another download.</param>
internal sealed record InstallPlan(LogFate Log, SnapshotManifest Manifest, bool Swapped = false);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(InstallPlan))]
internal sealed partial class InstallJson : JsonSerializerContext;
