using System.Diagnostics.CodeAnalysis;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Reseeding;

/// <summary>
/// A copy of a database for other nodes, with its manifest beside it, so that it can be given on after a restart. Who guards
/// <see cref="SnapshotSources"/> guards what changes here.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer or a link has nothing to dispose of.")]
internal sealed class OutgoingSnapshot
{
    private const string FileSuffix = ".sqlite";
    private const string ManifestSuffix = ".json";

    private readonly string _manifestPath;
    private readonly CancellationTokenSource _unwanted = new();

    // Who asked for it and has not released it. An earlier run of this node knew more of them than this one.
    private readonly HashSet<NodeId> _holders = [];
    private bool _mayHaveOtherHolders;

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

    /// <summary>Whether nobody wants it any more: whoever makes it stops, and removes what there is.</summary>
    public bool IsRemoved { get; private set; }

    /// <summary>Cancelled when nobody wants it any more.</summary>
    public CancellationToken Unwanted => _unwanted.Token;

    /// <summary>The snapshots that an earlier run of this node left, and the files of those that are not whole: they are to be removed.</summary>
    public static (List<OutgoingSnapshot> Found, IReadOnlyList<string> Leftovers) Load(ReplicaHome home, Instant now)
    {
        var found = new List<OutgoingSnapshot>();
        if (!Directory.Exists(home.Outgoing))
            return (found, []);
        foreach (var path in Directory.GetFiles(home.Outgoing, "*" + FileSuffix))
        {
            if (Guid.TryParseExact(System.IO.Path.GetFileNameWithoutExtension(path), "N", out var id))
            {
                var snapshot = new OutgoingSnapshot(home, id, LogIndex.Zero, now) { _mayHaveOtherHolders = true };
                if (snapshot.TryReadManifest())
                    found.Add(snapshot);
            }
        }

        var kept = found.SelectMany(snapshot => (string[])[snapshot.Path, snapshot._manifestPath]).ToHashSet(StringComparer.Ordinal);
        return (found, [.. Directory.GetFiles(home.Outgoing).Where(path => !kept.Contains(path))]);
    }

    /// <summary>Keeps the manifest beside the file. Durable on return.</summary>
    public void Save(SnapshotManifest manifest) => DiskFileSystem.Instance.ReplaceAtomically(_manifestPath, file => file.Write(manifest.ToJson(), 0));

    /// <summary>It is complete.</summary>
    public void Describe(SnapshotManifest manifest)
    {
        Pinned = manifest.Position.Index;
        Manifest = manifest;
    }

    /// <summary>A node fetches it, or is going to.</summary>
    public void Hold(NodeId holder) => _holders.Add(holder);

    /// <summary>A node does not need it any more. Says whether nobody does.</summary>
    public bool Release(NodeId holder)
    {
        _holders.Remove(holder);
        return _holders.Count == 0 && !_mayHaveOtherHolders;
    }

    /// <summary>Nobody wants it any more. Whoever made it removes the files if they are still being made; otherwise <see cref="Delete"/> does.</summary>
    public void Remove() => IsRemoved = true;

    /// <summary>Stops whoever makes it. Not under the gate: whoever hears of it may want that.</summary>
    public void Stop() => _unwanted.Cancel();

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
