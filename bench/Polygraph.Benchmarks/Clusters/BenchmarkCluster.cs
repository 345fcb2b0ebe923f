using System.Diagnostics;
using System.Net.Http.Json;
using Polygraph.Cli.Client;
using Polygraph.Cli.Processes;

namespace Polygraph.Benchmarks.Clusters;

/// <summary>Three nodes as real processes of the built program. Disposing kills them and removes what they left.</summary>
internal sealed class BenchmarkCluster : IAsyncDisposable
{
    public const string Database = "main";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(2);

    // A node that has just started compiles for some seconds; three idle ones use some hundredths of a processor.
    private static readonly TimeSpan IdleFor = TimeSpan.FromSeconds(1);
    private const double IdleShare = 0.1;

    private readonly string _directory;
    private readonly LocalCluster _processes;
    private readonly Dictionary<string, HttpClient> _clients;

    private BenchmarkCluster(string directory)
    {
        _directory = directory;
        var layouts = NodeLayout.ForBasePort(3, directory, LocalPorts.FindFreeBase(3));
        _processes = new LocalCluster(ProgramFile.Path, layouts);
        _clients = layouts.ToDictionary(layout => layout.Id, layout => new HttpClient { BaseAddress = layout.Url, Timeout = Patience });
    }

    public IEnumerable<string> Nodes => _processes.Nodes.Select(layout => layout.Id);

    public static async Task<BenchmarkCluster> StartAsync(string parent)
    {
        var cluster = new BenchmarkCluster(Directory.CreateDirectory(Path.Combine(parent, Guid.NewGuid().ToString("N"))).FullName);
        try
        {
            cluster._processes.StartAll();
            foreach (var node in cluster.Nodes)
                await cluster.WaitAsync(node, view => view.Leader is not null && view.Replica(node) is { Serving: true }, $"{node} serves");
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async Task<string> LeaderAsync()
        => (await WaitAsync(
            Nodes.First(node => _processes.Running.Any(process => process.Layout.Id == node)),
            view => view.Leader is { } leader && view.Replica(leader) is { Serving: true, Role: "leader" },
            "there is a leader")).Leader!;

    /// <summary>Waits until the nodes have done what they do after they started: they use next to nothing of the processors for a second.</summary>
    public async Task UntilIdleAsync()
    {
        var started = Stopwatch.GetTimestamp();
        for (var used = Used(); ; used = Used())
        {
            await Task.Delay(IdleFor);
            if (Used() - used < IdleFor * IdleShare)
                return;
            if (Stopwatch.GetElapsedTime(started) > Patience)
                throw new TimeoutException($"The nodes were not idle after {Patience}.");
        }

        TimeSpan Used() => _processes.Running.Aggregate(TimeSpan.Zero, (sum, node) => sum + ProcessorTimeOf(node.ProcessId));
    }

    private static TimeSpan ProcessorTimeOf(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return process.TotalProcessorTime;
    }

    public int ProcessId(string node) => _processes.Process(node).ProcessId;

    /// <summary>The size of a node's copy: the database file, without its write-ahead log.</summary>
    public long DatabaseBytes(string node)
        => Directory.EnumerateFiles(_processes.Layout(node).Directory, "database.sqlite", SearchOption.AllDirectories)
            .Select(file => new FileInfo(file).Length).Max();

    public void Kill(string node) => _processes.Kill(node);

    public void Pause(string node) => _processes.Process(node).Pause();

    public void Resume(string node) => _processes.Process(node).Resume();

    public void Start(string node) => _processes.Start(node);

    /// <summary>One transaction, which must succeed.</summary>
    public async Task SqlAsync(string node, IEnumerable<string> statements, string ack = "quorum; timeout=120s")
    {
        using var request = SqlRequest(statements, ack);
        using var response = await _clients[node].SendAsync(request);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{node} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }

    /// <summary>One statement at <c>quorum</c>; false if it was refused, or nobody knows what became of it.</summary>
    public async Task<bool> TrySqlAsync(string node, string sql, CancellationToken cancellation)
    {
        using var request = SqlRequest([sql], "quorum");
        try
        {
            using var response = await _clients[node].SendAsync(request, cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private static HttpRequestMessage SqlRequest(IEnumerable<string> statements, string ack)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/db/{Database}/sql")
        {
            Content = JsonContent.Create(new { statements = statements.Select(sql => new { sql }) }),
        };
        request.Headers.TryAddWithoutValidation("Polygraph-Ack", ack);
        return request;
    }

    /// <summary>Makes a SQLite file a database on every node; a majority holds it when this returns.</summary>
    public async Task ImportAsync(string node, string name, string file)
    {
        await using var source = File.OpenRead(file);
        using var content = new StreamContent(source);
        content.Headers.ContentType = new("application/vnd.sqlite3");
        using var response = await _clients[node].PostAsync(new Uri($"/v1/db/{name}/import", UriKind.Relative), content);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{node} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }

    /// <summary>Time until a node answers <c>/readyz</c> with 200, from a moment on.</summary>
    public async Task<TimeSpan> WaitUntilReadyAsync(string node, long since)
    {
        while (true)
        {
            if (Stopwatch.GetElapsedTime(since) > Patience)
                throw new TimeoutException($"{node} was not ready after {Patience}.");
            try
            {
                using var answer = await _clients[node].GetAsync(new Uri("/readyz", UriKind.Relative));
                if (answer.IsSuccessStatusCode)
                    return Stopwatch.GetElapsedTime(since);
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(LookEvery);
        }
    }

    /// <summary>Waits until a node has applied all that the leader has committed, and says how much that is.</summary>
    public async Task<ulong> WaitUntilEqualAsync(string node, string leader)
    {
        var committed = (await WaitAsync(leader, view => view.Replica(leader) is { Committed: not null }, "the leader knows its commit index"))
            .Replica(leader)!.Committed!.Value;
        await WaitAsync(node, view => view.Replica(node) is { Serving: true, Applied: { } applied } && applied >= committed, $"{node} has applied {committed}");
        return committed;
    }

    public Task<DatabaseView> WaitAsync(string node, Func<DatabaseView, bool> condition, string what)
        => WaitForViewAsync(node, condition, what);

    public ValueTask DisposeAsync()
    {
        foreach (var client in _clients.Values)
            client.Dispose();
        _processes.Dispose();
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<DatabaseView> WaitForViewAsync(string node, Func<DatabaseView, bool> condition, string what)
    {
        var view = await _processes.WaitUntilAsync(view => view.Database(Database) is { } found && condition(found), what, Patience, asked: node);
        return view.Database(Database)!;
    }
}
