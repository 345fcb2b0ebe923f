using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Reseeding;

/// <summary>A copy of a database for another node, with its manifest beside it, so that it can be given on after a restart.</summary>
internal sealed class OutgoingSnapshot
{
    private const string FileSuffix = ".sqlite";
    private const string ManifestSuffix = ".json";

    private readonly string _manifestPath;

    public OutgoingSnapshot(ReplicaHome home, Guid id, LogIndex pinned, Instant now)
    {
        Id = id;
        Path = System.IO.Path.Combine(home.Outgoing, id.ToString("N") + FileSuffix);
        _manifestPath = System.IO.Path.Combine(home.Outgoing, id.ToString("N") + ManifestSuffix);
        Pinned = pinned;
        Made = Used = now;
    }

    public Guid Id { get; }

    public string Path { get; }

    /// <summary>Whoever takes it needs the log behind this.</summary>
    public LogIndex Pinned { get; private set; }

    public Instant Made { get; }

    /// <summary>When somebody last asked for a part of it.</summary>
    public Instant Used { get; set; }

    /// <summary>What it holds; null while it is being made.</summary>
    public SnapshotManifest? Manifest { get; private set; }

    /// <summary>Why it could not be made.</summary>
    public string? Failure { get; set; }

    /// <summary>The snapshots that an earlier run of this node left; what is not whole is removed.</summary>
    public static List<OutgoingSnapshot> Load(ReplicaHome home, Instant now)
    {
        var found = new List<OutgoingSnapshot>();
        if (!Directory.Exists(home.Outgoing))
            return found;
        foreach (var path in Directory.GetFiles(home.Outgoing, "*" + FileSuffix))
        {
            if (Guid.TryParseExact(System.IO.Path.GetFileNameWithoutExtension(path), "N", out var id))
            {
                var snapshot = new OutgoingSnapshot(home, id, LogIndex.Zero, now);
                if (snapshot.TryReadManifest())
                    found.Add(snapshot);
            }
        }

        var kept = found.SelectMany(snapshot => (string[])[snapshot.Path, snapshot._manifestPath]).ToHashSet(StringComparer.Ordinal);
        foreach (var path in Directory.GetFiles(home.Outgoing))
        {
            if (!kept.Contains(path))
                File.Delete(path);
        }

        return found;
    }

    /// <summary>It is complete.</summary>
    public void Describe(SnapshotManifest manifest)
    {
        DiskFileSystem.Instance.ReplaceAtomically(_manifestPath, file => file.Write(manifest.ToJson(), 0));
        Pinned = manifest.Position.Index;
        Manifest = manifest;
    }

    public void Delete()
    {
        if (!Directory.Exists(System.IO.Path.GetDirectoryName(Path)))
            return; // It failed before there was anything.
        File.Delete(_manifestPath);
        File.Delete(Path);
    }

    private bool TryReadManifest()
    {
        try
        {
            Manifest = SnapshotManifest.FromJson(File.ReadAllBytes(_manifestPath));
            Pinned = Manifest.Position.Index;
            return Manifest.Snapshot == Id && new FileInfo(Path).Length == Manifest.Bytes;
        }
        catch (Exception e) when (e is IOException or SnapshotRefusedException)
        {
            return false; // Not finished when the node ended: removed by whoever asked.
        }
    }
}
