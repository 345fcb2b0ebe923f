using System.Globalization;
using Polygraph.Cli.Client;
using Polygraph.Cli.Output;
using Polygraph.Node.Diagnosis;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Cli.Doctor;

/// <summary>What is wrong with what was measured. Pure: everything that it judges is an argument.</summary>
public static class DoctorRules
{
    private const long MiB = 1 << 20;

    /// <summary>Below it the next segments of a few logs do not fit any more.</summary>
    private const long FreeBytesError = 512 * MiB;

    private const long FreeBytesWarning = 4096 * MiB;

    /// <summary>Segments, SQLite files, peers and clients of a node with a few databases.</summary>
    private const long OpenFilesNeeded = 4096;

    /// <summary>Every quorum write waits for two of them.</summary>
    private const long SyncSlowMicroseconds = 20_000;

    /// <summary>No disk, and no controller with a battery, is so fast: nothing is synced.</summary>
    private const long SyncImpossibleMicroseconds = 5;

    private static readonly TimeSpan ClockWarning = TimeSpan.FromSeconds(1);

    private static readonly HashSet<string> InMemory = new(["tmpfs", "ramfs"], StringComparer.Ordinal);
    private static readonly HashSet<string> OverNetwork = new(["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs"], StringComparer.Ordinal);

    /// <summary>What one node's surroundings say.</summary>
    public static IEnumerable<Finding> OfNode(NodeDiagnosis diagnosis)
    {
        var where = diagnosis.Node ?? diagnosis.Directory.Path;
        if (diagnosis.Sqlite.ThreadingMode == "single-thread")
            yield return Finding.Error(where, $"{diagnosis.Sqlite.Path} is SQLite without threads.", "Use another build of it: POLYGRAPH_SQLITE=bundled.");
        if (diagnosis.System.OpenFilesMax is { } files and < OpenFilesNeeded)
            yield return Finding.Warning(where, $"The process may have {files} files open.", $"Raise the limit to {OpenFilesNeeded} or more: ulimit -n, or LimitNOFILE= of its service.");
        foreach (var finding in OfDirectory(where, diagnosis.Directory))
            yield return finding;
        foreach (var database in diagnosis.Databases.Where(database => database.CutFiles > 0))
        {
            yield return Finding.Warning(
                where, $"{database.Database}: {CountText.Of(database.CutFiles, "file holds", "files hold")} entries that a later history lacks.",
                $"Look at them in databases/{database.Database}/log/cut, and remove them when you know what becomes of those writes.");
        }

        foreach (var database in diagnosis.Databases.Where(database => database.DamagedFiles > 0))
        {
            yield return Finding.Warning(
                where, $"{database.Database}: {CountText.Of(database.DamagedFiles, "part")} of a damaged log {(database.DamagedFiles == 1 ? "is" : "are")} kept: it may hold writes that exist nowhere else. A log that is damaged again is not replaced meanwhile.",
                $"Look at the disk. They are databases/{database.Database}/log/*{ReplicaHome.DamagedSuffix}: move them away when you know what becomes of those writes.");
        }
    }

    /// <summary>What the nodes say beside one another.</summary>
    public static IEnumerable<Finding> OfCluster(ClusterView? view, IReadOnlyList<NodeAnswer> answers)
    {
        foreach (var silent in answers.Where(answer => answer.Diagnosis is null))
            yield return Finding.Error(silent.Node, Sentence($"It does not answer: {silent.Failure}"), "Start it, or see its log. The others go on as long as a majority runs.");
        var told = answers.Where(answer => answer.Diagnosis is not null).ToList();
        if (Differs(told, answer => answer.Diagnosis!.Version) is { } versions)
            yield return Finding.Warning("cluster", $"The nodes run different versions of Polygraph: {versions}.", "Bring them to the same one.");
        if (Differs(told, answer => answer.Diagnosis!.Sqlite.Version) is { } libraries)
        {
            yield return Finding.Warning(
                "cluster", $"The nodes use different versions of SQLite: {libraries}.",
                "Install the same everywhere: SQL that one of them knows and another does not stops the other's replica.");
        }

        foreach (var ahead in told.Where(answer => answer.ClockOffset is { } offset && offset.Duration() - answer.ClockError > ClockWarning))
        {
            yield return Finding.Warning(
                ahead.Node, $"Its clock differs from {told[0].Node}'s by {Seconds(ahead.ClockOffset!.Value)} s (± {Seconds(ahead.ClockError)} s).",
                "Let a time service run on every node. Nothing is lost by it, but idempotency keys are kept longer, and times in logs mislead.");
        }

        foreach (var database in view?.Databases ?? [])
        {
            if (database.Leader is null)
                yield return Finding.Error(database.Name, "It has no leader, so it takes no writes.", "A majority of its nodes must be up and connected.");
            foreach (var replica in database.Replicas.Where(replica => !replica.Serving))
                yield return Finding.Error(replica.Node, Sentence($"Its copy of {database.Name} does not serve: {replica.Reason ?? "no reason is known"}"), "See the log of that node.");
        }
    }

    private static IEnumerable<Finding> OfDirectory(string where, DirectoryFacts directory)
    {
        if (directory.FileSystem is not { } fileSystem)
        {
            yield return Finding.Error(
                where, $"{directory.Path} is not there any more: what the node writes now is lost when it stops.",
                "Stop it and put the directory back. A node that starts without its data is another one, which the cluster does not admit.");
            yield break;
        }

        if (directory.FreeBytes < FreeBytesWarning)
        {
            var what = $"{directory.FreeBytes / MiB} MiB are left on the file system of {directory.Path}.";
            const string Advice = "Make room: a node whose disk is full stops.";
            yield return directory.FreeBytes < FreeBytesError ? Finding.Error(where, what, Advice) : Finding.Warning(where, what, Advice);
        }

        if (InMemory.Contains(fileSystem))
            yield return Finding.Warning(where, $"{directory.Path} is in memory ({fileSystem}): a restart of the machine loses it.", "Put the data on a disk.");
        if (OverNetwork.Contains(fileSystem))
        {
            yield return Finding.Error(
                where, $"{directory.Path} is on a network file system ({fileSystem}), whose locks and shared memory SQLite cannot rely on.", "Put the data on a local disk.");
        }

        if (directory.Sync is { MedianMicroseconds: > SyncSlowMicroseconds } slow)
            yield return Finding.Warning(where, $"A sync takes {slow.MedianMicroseconds / 1000} ms: every write waits for it.", "Use a faster disk, or one that nobody else uses.");
        if (directory.Sync is { MedianMicroseconds: < SyncImpossibleMicroseconds } fast && !InMemory.Contains(directory.FileSystem))
            yield return Finding.Warning(where, $"A sync takes {fast.MedianMicroseconds} µs: nothing is synced.", "What is acknowledged would be lost with the power. Look how the file system is mounted.");
    }

    private static string? Differs(IReadOnlyList<NodeAnswer> told, Func<NodeAnswer, string> what)
        => told.Select(what).Distinct(StringComparer.Ordinal).Count() > 1 ? string.Join(", ", told.Select(answer => $"{answer.Node} {what(answer)}")) : null;

    // What is told by others, an exception or a node, may end with a full stop or not.
    private static string Sentence(string text) => text.EndsWith('.') ? text : text + ".";

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);
}

/// <summary>What one node answered.</summary>
/// <param name="Node">Which.</param>
/// <param name="Diagnosis">Its diagnosis; null if it gave none.</param>
/// <param name="Failure">Why not.</param>
/// <param name="ClockOffset">How far its clock is ahead of the first node's that answered; null if unknown.</param>
/// <param name="ClockError">How wrong <paramref name="ClockOffset"/> may be at most: half of the time that the two answers took.</param>
public sealed record NodeAnswer(string Node, NodeDiagnosis? Diagnosis, string? Failure, TimeSpan? ClockOffset, TimeSpan ClockError);
