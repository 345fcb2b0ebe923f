using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Polygraph.Storage.Files;
using Polygraph.Storage.Snapshots;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Node.Diagnosis;

/// <summary>Finds out what this process and a data directory are like. Everything is looked at or measured at the call, nothing is assumed.</summary>
public static class Diagnostician
{
    /// <summary>The size of a one-row entry in the log.</summary>
    private const int SampleBytes = 600;

    private const string ThreadSafeOption = "THREADSAFE=";

    /// <summary>Examines this process and a directory.</summary>
    /// <param name="node">Which node this process is; null if it is none.</param>
    /// <param name="directory">A node's data directory.</param>
    /// <param name="syncSamples">How many syncs to measure in it; 0 writes nothing.</param>
    /// <param name="time">The clock of this process, told as it stands.</param>
    public static NodeDiagnosis Examine(string? node, string directory, int syncSamples, TimeProvider time)
    {
        var wall = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return new NodeDiagnosis(
            node, typeof(Diagnostician).Assembly.GetName().Version!.ToString(3), wall, ExamineSystem(), ExamineSqlite(), ExamineDirectory(directory, syncSamples), ExamineSizes(directory));
    }

    private static SystemFacts ExamineSystem()
        => new(
            Environment.MachineName,
            RuntimeInformation.OSDescription,
            RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
            Environment.Version.ToString(),
            Environment.ProcessorCount,
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            OpenFilesMax(),
            OperatingSystem.IsLinux() ? Directory.GetFileSystemEntries("/proc/self/fd").Length : null);

    private static SqliteFacts ExamineSqlite()
    {
        var options = SqliteLibrary.CompileOptions;
        var mode = options.FirstOrDefault(option => option.StartsWith(ThreadSafeOption, StringComparison.Ordinal))?[ThreadSafeOption.Length..] switch
        {
            "0" => "single-thread",
            "2" => "multi-thread",
            _ => "serialized",
        };
        return new SqliteFacts(SqliteLibrary.Origin, SqliteLibrary.Path, SqliteLibrary.Version, SqliteLibrary.SourceId, mode, options);
    }

    private static DirectoryFacts ExamineDirectory(string directory, int syncSamples)
    {
        // A process goes on in a directory that was removed under it, and the doctor is who should say so.
        if (!Directory.Exists(directory))
            return new DirectoryFacts(Path.GetFullPath(directory), null, null, null, null);
        var drive = new DriveInfo(Path.GetFullPath(directory));
        return new DirectoryFacts(
            Path.GetFullPath(directory), drive.DriveFormat, drive.AvailableFreeSpace, drive.TotalSize, syncSamples > 0 ? MeasureSync(directory, syncSamples) : null);
    }

    private static List<DatabaseSizes> ExamineSizes(string directory)
    {
        var databases = Path.Combine(directory, "databases");
        if (!Directory.Exists(databases))
            return [];
        return [.. Directory.GetDirectories(databases).Order(StringComparer.Ordinal).Select(home =>
        {
            var log = new DirectoryInfo(Path.Combine(home, "log"));
            var cut = new DirectoryInfo(Path.Combine(home, "log", "cut"));
            return new DatabaseSizes(
                Path.GetFileName(home),
                LengthOf(Path.Combine(home, "database.sqlite")),
                LengthOf(Path.Combine(home, "database.sqlite-wal")),
                log.Exists ? log.GetFiles().Sum(file => file.Length) : 0,
                cut.Exists ? cut.GetFiles().Length : 0,
                log.Exists ? log.GetFiles("*" + ReplicaHome.DamagedSuffix).Length : 0);
        })];
    }

    /// <summary>
    /// As the log does it: a write into room that is there already, and a sync of the content. Null where the disk is full or fails: the free space and the
    /// replicas' own troubles say so, and a doctor that falls ill of it helps nobody.
    /// </summary>
    private static SyncLatency? MeasureSync(string directory, int samples)
    {
        var path = Path.Combine(directory, $"doctor-{Guid.NewGuid():N}{FileRecipes.TemporarySuffix}");
        try
        {
            using var file = DiskFileSystem.Instance.Open(path, FileOpening.New);
            var sample = new byte[SampleBytes];
            file.Write(new byte[samples * SampleBytes], 0);
            file.Sync();
            var took = new List<long>(samples);
            for (var i = 0; i < samples; i++)
            {
                var began = Stopwatch.GetTimestamp();
                file.Write(sample, (long)i * SampleBytes);
                file.Sync();
                took.Add((long)Stopwatch.GetElapsedTime(began).TotalMicroseconds);
            }

            took.Sort();
            return new SyncLatency(samples, took[samples / 2], took[^1]);
        }
        catch (Exception failure) when (DiskTrouble.Of(failure) is not null)
        {
            return null;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static long LengthOf(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    private static long? OpenFilesMax()
    {
        const string Name = "Max open files";
        if (!OperatingSystem.IsLinux())
            return null;
        var line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal));
        var soft = line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}
