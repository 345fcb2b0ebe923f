using System.Globalization;
using Polygraph.Cli.Client;
using Polygraph.Cli.Output;
using Polygraph.Cli.Shell;

namespace Polygraph.Cli.Demos.Day;

/// <summary>
/// A day in a record shop: a real schema, clients on all nodes, a leader that dies in the afternoon, and at the end the books of every replica.
/// </summary>
public sealed class DayDemo : IDisposable
{
    private const string SchemaResource = "chinook.sql";

    // Hours since the day began, at six in the morning.
    private const int LeaderDies = 9;
    private const int LeaderReturns = 12;

    private readonly DemoStage _stage = new();
    private readonly DayLength _length;
    private readonly DayLedger _ledger = new();
    private readonly List<DayClient> _clients;
    private string _leader = "";

    private DayDemo(DayLength length)
    {
        _length = length;
        _clients = [.. Enumerable.Range(1, length.Clients).Select(number => new DayClient(_stage.Cluster, length, number, _ledger))];
    }

    public static async Task<int> RunAsync(DayLength length, CancellationToken cancellation)
    {
        using var day = new DayDemo(length);
        return await day.RunAsync(cancellation);
    }

    /// <summary>The schema, statement by statement.</summary>
    public static IReadOnlyList<string> Schema()
    {
        using var stream = typeof(DayDemo).Assembly.GetManifestResourceStream(SchemaResource)!;
        using var reader = new StreamReader(stream);
        return StatementSplitter.Split(reader.ReadToEnd()).All;
    }

    public void Dispose()
    {
        foreach (var client in _clients)
            client.Dispose();
        _stage.Dispose();
    }

    private async Task<int> RunAsync(CancellationToken cancellation)
    {
        _leader = await _stage.StartAsync(cancellation);
        await OpenShopAsync(cancellation);
        var started = TimeProvider.System.GetTimestamp();
        _stage.Step($"{_length.Clients} clients on all nodes, {_length.RequestsPerHour} requests an hour each, for 24 hours, from six to six (seed {_length.Seed})");
        for (var hour = 0; hour < DayLength.Hours; hour++)
            await HourAsync(hour, cancellation);
        ShowCounts(TimeProvider.System.GetElapsedTime(started));

        _stage.Step("The full-text index is checked against the tracks on every replica; every row of every replica is read and compared");
        var survivor = await _stage.WaitForLeaderAsync(_ => true, null, null, cancellation);
        await _stage.ExecuteAsync(survivor, "INSERT INTO track_text(track_text) VALUES ('integrity-check')", "all", cancellation);
        await _stage.WaitUntilEqualAsync(survivor, cancellation);
        var equal = await VerifyAsync(survivor, cancellation);
        return Conclude(equal, await CheckBooksAsync(cancellation));
    }

    private async Task OpenShopAsync(CancellationToken cancellation)
    {
        var schema = Schema();
        _stage.Step($"The shop opens: {schema.Count} statements make its schema (samples/chinook/schema.sql)");
        using var client = _stage.Cluster.ClientOf(_leader);
        foreach (var batch in new[] { schema, DayTraffic.Opening })
        {
            var reply = await client.ExecuteAsync(new SqlCall(DemoStage.Database, batch, "all"), cancellation);
            if (reply.Problem is { } problem)
                throw new CommandFailedException($"The shop could not be opened: {problem.Detail}\n{_stage.Cluster.LastLogLines()}");
        }
    }

    private async Task HourAsync(int hour, CancellationToken cancellation)
    {
        var work = Task.WhenAll(_clients.Select(client => client.WorkAsync(DayLength.HourOfDay(hour), _length.RequestsPerHour, cancellation)));
        if (hour == LeaderDies)
        {
            // In the middle of the hour: requests are inside the leader when it dies.
            await Task.WhenAny(_ledger.WhenEndedAsync(_ledger.Ended + (_length.Clients * _length.RequestsPerHour / 2)), work);
            _leader = await _stage.WaitForLeaderAsync(_ => true, null, null, cancellation);
            DemoStage.See($"{DayLength.HourOfDay(hour)}:30  SIGKILL to {_leader}, which leads; the clients go on with the others");
            _stage.Cluster.Kill(_leader);
        }

        await work;
        if (hour != LeaderReturns)
            return;
        _stage.Cluster.Start(_leader);
        DemoStage.See($"{DayLength.HourOfDay(hour)}:59  {_leader} starts again, on the disk that it left");
    }

    private void ShowCounts(TimeSpan took)
    {
        DemoStage.See($"{_ledger.Ended:N0} requests in {took.TotalSeconds:0.0} s; {_clients.Sum(client => client.SentAgain)} were sent again with their key, for want of a certain answer");
        foreach (var (kind, done, refused) in _ledger.Counts())
            DemoStage.See(string.Create(CultureInfo.InvariantCulture, $"  {kind,-14}{done,7:N0} done{refused,7:N0} refused by the schema"));
    }

    private async Task<bool> VerifyAsync(string node, CancellationToken cancellation)
    {
        using var client = _stage.Cluster.ClientOf(node);
        var (view, _) = await client.VerifyAsync(DemoStage.Database, cancellation);
        foreach (var table in view.Replicas.SelectMany(replica => replica.Tables).GroupBy(table => table.Table))
        {
            var (first, copies, equal) = (table.First(), table.Count(), table.All(copy => copy.Equal));
            DemoStage.SeeMarkup(string.Create(
                CultureInfo.InvariantCulture,
                $"{(equal ? $"[{Screen.Green}]=[/]" : $"[{Screen.Red}]≠[/]")} {first.Table,-38}{first.Rows,8:N0} rows on {copies}   {(equal ? first.Digest : "they differ")}"));
        }

        foreach (var replica in view.Replicas.Where(replica => !replica.Equal))
            DemoStage.See($"{replica.Node}: {replica.Reason}");
        return view.Equal;
    }

    private async Task<IReadOnlyList<string>> CheckBooksAsync(CancellationToken cancellation)
    {
        _stage.Step("The books of each replica: totals, spending, stock, full text, foreign keys, integrity, and every request exactly once");
        var wrong = new List<string>(_ledger.Wrong);
        foreach (var node in _stage.Cluster.Nodes)
        {
            var found = await DayBooks.CheckAsync(_stage.Cluster, node.Id, _ledger, cancellation);
            DemoStage.SeeMarkup(found.Count == 0 ? $"[{Screen.Green}]✓[/] {node.Id}" : $"[{Screen.Red}]✗ {node.Id}[/]");
            wrong.AddRange(found);
        }

        foreach (var line in wrong.Take(10))
            DemoStage.See(line);
        return wrong;
    }

    private int Conclude(bool equal, IReadOnlyList<string> wrong)
        => _stage.Conclude(
            equal && wrong.Count == 0,
            !equal ? "the replicas differ."
            : wrong.Count > 0 ? $"the replicas are equal, and {wrong.Count} things are wrong with them."
            : string.Create(CultureInfo.InvariantCulture, $"{_ledger.Done.Count:N0} writes were told \"done\"; each is on all three replicas, once, and the books are right on each of them."));
}
