using Polygraph.Cli.Output;
using Polygraph.Node.Diagnosis;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;

namespace Polygraph.Cli.Doctor;

/// <summary>What was found in one database's files.</summary>
/// <param name="Database">The name of its directory.</param>
/// <param name="LogEntries">Entries of its log.</param>
/// <param name="LogLast">The last of them.</param>
/// <param name="File">What its SQLite file holds, in words.</param>
public sealed record DatabaseFiles(string Database, long? LogEntries, string? LogLast, string File);

/// <summary>What was found in one node's data directory.</summary>
public sealed record DirectoryAnswer(NodeDiagnosis Diagnosis, bool InUse, IReadOnlyList<DatabaseFiles> Files);

/// <summary>Reads a node's files, whether it runs or not, and changes nothing. Files that a running node writes are left to the node.</summary>
public static class DirectoryExamination
{
    private const int SyncSamples = 30;

    /// <summary>The node directories in a directory: itself, or those of a cluster that <c>up</c> made.</summary>
    /// <exception cref="CommandFailedException">There is none.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (IsNode(path))
            return [path];
        var nodes = Directory.Exists(path) ? Directory.GetDirectories(path).Where(IsNode).Order(StringComparer.Ordinal).ToList() : [];
        return nodes.Count > 0
            ? nodes
            : throw new CommandFailedException($"{path} holds no node.", "Name the data directory of a node (it has a node.json), or the one that 'up' was given.");
    }

    public static (DirectoryAnswer Answer, IReadOnlyList<Finding> Findings) Examine(string path, CancellationToken cancellation)
    {
        var findings = new List<Finding>();
        var held = TryLock(path);
        try
        {
            var diagnosis = Diagnostician.Examine(null, path, SyncSamples, TimeProvider.System);
            findings.AddRange(DoctorRules.OfNode(diagnosis));
            var files = diagnosis.Databases.Select(sizes => ExamineDatabase(Path.Combine(path, "databases", sizes.Database), held is not null, findings, cancellation)).ToList();
            return (new DirectoryAnswer(diagnosis, held is null, files), findings);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"{path} cannot be examined: {e.Message}", "Run this as the user whose node it is.");
        }
        finally
        {
            held?.Dispose();
        }
    }

    private static bool IsNode(string path) => File.Exists(Path.Combine(path, "node.json"));

    // Held while the files are read: so a node that starts meanwhile is told that its directory is in use, instead of being read half-way.
    private static DirectoryLock? TryLock(string path)
    {
        try
        {
            return DirectoryLock.Acquire(path);
        }
        catch (DirectoryInUseException)
        {
            return null;
        }
    }

    private static DatabaseFiles ExamineDatabase(string home, bool isFree, List<Finding> findings, CancellationToken cancellation)
    {
        var name = Path.GetFileName(home);
        var log = Directory.Exists(Path.Combine(home, "log")) ? LogInspector.Run(Path.Combine(home, "log")) : null;
        if (log?.Damage is { } damage)
            findings.Add(Finding.Error(home, damage.Message, DamagedLog.Advice(Path.Combine(home, "log"))));
        if (log is { Entries: > 0 } && !File.Exists(Path.Combine(home, "vote")))
            findings.Add(Finding.Error(home, "Its vote file is gone, and it has a log.", "Restore the file; without it the node refuses to open the database, because it could vote twice."));
        var file = ExamineFile(Path.Combine(home, "database.sqlite"), isFree, findings, log, cancellation);
        return new DatabaseFiles(name, log?.Entries, log?.Last.ToString(), file);
    }

    private static string ExamineFile(string path, bool isFree, List<Finding> findings, LogInspection? log, CancellationToken cancellation)
    {
        if (!isFree)
            return "in use by a running node: not read here; see polygraph verify";
        if (!File.Exists(path))
            return "not there";
        if (ReplicaFileCheck.IsBetweenStates(path))
            return "between two checkpoints: the node finishes that when it starts; not read";
        var found = ReplicaFileCheck.Run(path, cancellation);
        if (found.Problem is { } problem)
        {
            findings.Add(Finding.Error(path, $"It is damaged: {problem.TrimEnd('.')}.", "When the node starts it takes a copy from another node. Look at the disk and the memory."));
            return "damaged";
        }

        if (log is { Damage: null } && found.Position is { } position && position.Index > log.Last.Index)
            findings.Add(Finding.Error(path, $"It holds {position}, and its log ends at {log.Last}.", "Files were mixed up, or the disk lost what it had synced. The node takes a copy from another when it starts."));
        return $"whole at {found.Position}: {CountText.Of(found.Tables, "table")}, {CountText.Of(found.Rows, "row")} read";
    }
}
