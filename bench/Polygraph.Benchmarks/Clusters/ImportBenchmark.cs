using System.Diagnostics;
using Polygraph.Benchmarks.Engine;
using Polygraph.Benchmarks.Reporting;

namespace Polygraph.Benchmarks.Clusters;

/// <summary>
/// A SQLite file of a gibibyte becomes a database of three nodes that were idle: from the request until the answer, which comes when a majority holds the rows durably.
/// Beside it, in the same rounds, the disk's own speed for what three nodes on one disk must write: the same file, three times, each synced.
/// </summary>
internal static class ImportBenchmark
{
    private const long FileBytes = 1L << 30;
    private const int RowsEach = 500_000;
    private const double TargetMebibytesPerSecond = 100;
    private const int Copies = 3;
    private const int BufferBytes = 1 << 20;

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(int rounds, string directory)
    {
        var file = Path.Combine(directory, "source.sqlite");
        var rows = MakeFile(file);
        var mebibytes = new FileInfo(file).Length / (double)(1 << 20);
        var (rates, diskRates) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            diskRates.Add(mebibytes / CopyAndSync(file, directory).TotalSeconds);
            // A cluster of its own each time: what an earlier round wrote is not still on its way to the disk.
            await using var cluster = await BenchmarkCluster.StartAsync(directory);
            var leader = await cluster.LeaderAsync();
            await cluster.UntilIdleAsync();
            var started = Stopwatch.GetTimestamp();
            await cluster.ImportAsync(leader, "imported", file);
            rates.Add(mebibytes / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return
        [
            new Figure(
                "import",
                "MiB/s",
                rates,
                $"file of {mebibytes:#,0} MiB, {rows:#,0} rows; three processes on one disk, which takes {Copies} plain copies of it, synced, at {diskRates.Average():0} MiB/s",
                TargetMebibytesPerSecond,
                Better.Higher),
        ];
    }

    private static long MakeFile(string path)
    {
        using var plain = new PlainDatabase(path);
        plain.Execute("CREATE TABLE item(id INTEGER PRIMARY KEY, amount INTEGER, price REAL, note TEXT)");
        plain.Execute("CREATE INDEX item_amount ON item(amount)");
        var rows = 0L;
        for (; new FileInfo(path).Length < FileBytes; rows += RowsEach)
        {
            plain.Execute(RowSource.Insert("item", rows, RowsEach));
            plain.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }

        return rows;
    }

    private static TimeSpan CopyAndSync(string file, string directory)
    {
        var copies = Enumerable.Range(0, Copies).Select(copy => Path.Combine(directory, $"copy-{copy}")).ToList();
        var buffer = new byte[BufferBytes];
        var started = Stopwatch.GetTimestamp();
        foreach (var copy in copies)
        {
            using var source = File.OpenRead(file);
            using var target = File.Create(copy, bufferSize: 0);
            for (int read; (read = source.Read(buffer)) > 0;)
                target.Write(buffer, 0, read);
            target.Flush(flushToDisk: true);
        }

        var took = Stopwatch.GetElapsedTime(started);
        foreach (var copy in copies)
            File.Delete(copy);
        return took;
    }
}
