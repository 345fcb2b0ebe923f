using Polygraph.Benchmarks.Reporting;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Benchmarks.Engine;

/// <summary>
/// How fast a follower applies entries of one row each, with digests from its own rows, in lists such as its writer thread takes from the log:
/// short ones when it keeps up, 4 MiB when it catches up. In turns with plain SQLite, which runs the statements that the leader ran, in
/// transactions of as many rows.
/// </summary>
internal static class ApplyBenchmark
{
    private const int Rows = 120_000;
    private const double Target = 250_000;

    /// <summary>The writer thread's bound, by bytes of records.</summary>
    private const int ListBytes = 4 << 20;

    public static IReadOnlyList<Figure> Measure(int rounds, string directory)
    {
        var figures = new List<Figure>();
        foreach (var (name, entriesMax) in new[] { ("4 MiB", int.MaxValue), ("100 entries", 100) })
        {
            var rates = Enum.GetValues<RowChange>().ToDictionary(change => change, _ => new List<(double Plain, double Follower)>());
            for (var round = -1; round < rounds; round++)
            {
                var measured = Round(Directory.CreateDirectory(Path.Combine(directory, $"{entriesMax}-{round + 1}")).FullName, entriesMax);
                if (round < 0)
                    continue;
                foreach (var (change, pair) in measured)
                    rates[change].Add(pair);
            }

            figures.AddRange(rates.Select(rate => new Figure(
                $"apply {rate.Key.ToString().ToLowerInvariant()}s, lists of {name}",
                "rows/s",
                [.. rate.Value.Select(pair => pair.Follower)],
                $"entries of one row; rows a second of processor time; plain SQLite {rate.Value.Average(pair => pair.Plain):#,0} rows/s",
                rate.Key == RowChange.Insert ? Target : null,
                Better.Higher)));
        }

        return figures;
    }

    private static Dictionary<RowChange, (double Plain, double Follower)> Round(string directory, int entriesMax)
    {
        var table = TableKind.IntegerKey;
        using var plain = new PlainDatabase(Path.Combine(directory, "plain.sqlite"));
        using var leader = new LeaderDatabase(Path.Combine(directory, "leader.sqlite"));
        using var follower = ReplicaDatabase.Open(Path.Combine(directory, "follower.sqlite"), ReplicaDatabaseOptions.Default);
        foreach (var sql in table.Schema)
        {
            plain.Execute(sql);
            leader.Execute(sql, entry => follower.Apply([entry]));
        }

        var rates = new Dictionary<RowChange, (double Plain, double Follower)>();
        foreach (var change in Enum.GetValues<RowChange>())
        {
            var arguments = table.Arguments(change, Rows, isScattered: false);
            var entries = new List<LogEntry>(Rows);
            foreach (var units in arguments.Select(values => LeaderDatabase.Unit([new SqlStatement(table.Text(change), values)])).Chunk(100))
                leader.Batch(units, 0, units.Length, take: entries.Add);
            var lists = Lists(entries, entriesMax);
            GC.Collect();
            GC.Collect();
            rates[change] = InTurns(plain, follower, table.Text(change), arguments, lists);
            plain.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
            follower.Connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
            leader.Checkpoint();
        }

        return rates;
    }

    private static (double Plain, double Follower) InTurns(
        PlainDatabase plain, ReplicaDatabase follower, string text, IReadOnlyList<SqlArgument[]> arguments, IReadOnlyList<LogEntry[]> lists)
    {
        var (plainTime, followerTime, row) = (default(WorkTime), default(WorkTime), 0);
        foreach (var list in lists)
        {
            plainTime += WorkTime.Of(() => plain.Transaction(text, arguments, row, list.Length, canUndoEach: false));
            followerTime += WorkTime.Of(() => follower.Apply(list));
            row += list.Length;
        }

        return (Rows / plainTime.Processor.TotalSeconds, Rows / followerTime.Processor.TotalSeconds);
    }

    private static List<LogEntry[]> Lists(List<LogEntry> entries, int entriesMax)
    {
        var lists = new List<LogEntry[]>();
        var (list, bytes) = (new List<LogEntry>(), 0);
        foreach (var entry in entries)
        {
            list.Add(entry);
            bytes += entry.Record.Length;
            if (bytes < ListBytes && list.Count < entriesMax)
                continue;
            lists.Add([.. list]);
            (list, bytes) = ([], 0);
        }

        if (list.Count > 0)
            lists.Add([.. list]);
        return lists;
    }
}
