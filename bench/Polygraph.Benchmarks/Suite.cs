using Polygraph.Benchmarks.Clusters;
using Polygraph.Benchmarks.Engine;
using Polygraph.Benchmarks.Reporting;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Benchmarks;

/// <summary>A part of the suite: some figures, taken together.</summary>
internal sealed record Part(string Name, Func<Options, string, Task<IReadOnlyList<Figure>>> MeasureAsync);

/// <summary>The engine's targets and where they are measured.</summary>
internal static class Suite
{
    public static readonly IReadOnlyList<Part> Parts =
    [
        new("capture", (options, directory) => Task.FromResult(CaptureBenchmark.Measure(options.Rounds, options.Only, directory))),
        new("apply", (options, directory) => Task.FromResult(ApplyBenchmark.Measure(options.Rounds, directory))),
        new("catch-up", (options, directory) => CatchUpBenchmark.MeasureAsync(Math.Min(options.Rounds, ClusterRoundsMax), options.Only, directory)),
        new("start", (options, directory) => StartBenchmark.MeasureAsync(Math.Min(options.Rounds, ClusterRoundsMax), directory)),
        new("import", (options, directory) => ImportBenchmark.MeasureAsync(Math.Min(options.Rounds, ClusterRoundsMax), directory)),
        new("failover", (options, directory) => FailoverBenchmark.MeasureAsync(options.Rounds, options.Only, directory)),
        new("large", (options, directory) => LargeTransactionBenchmark.MeasureAsync(directory)),
    ];

    /// <summary>A cluster's round takes up to a minute.</summary>
    private const int ClusterRoundsMax = 3;

    /// <summary>Runs the chosen parts, one after another. 0 if every target was reached, else 1.</summary>
    public static async Task<int> RunAsync(Options options, TextWriter output)
    {
        output.WriteLine($"SQLite {SqliteLibrary.Version} ({SqliteLibrary.Origin}), .NET {Environment.Version}, {Environment.ProcessorCount} processors");
        var figures = new List<Figure>();
        foreach (var part in Parts.Where(part => options.Parts.Contains(part.Name)))
        {
            var directory = Directory.CreateDirectory(Path.Combine(options.Directory, $"polygraph-benchmark-{Guid.NewGuid():N}")).FullName;
            try
            {
                output.WriteLine();
                var measured = await part.MeasureAsync(options, directory);
                FigureTable.Write(output, part.Name, measured);
                figures.AddRange(measured);
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        }

        return figures.TrueForAll(figure => figure.IsReached != false) ? 0 : 1;
    }
}
