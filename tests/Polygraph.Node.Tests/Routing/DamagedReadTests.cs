using System.Net;
using System.Net.Http.Json;
using Polygraph.Node.Tests.Transactions;

namespace Polygraph.Node.Tests.Routing;

/// <summary>Whatever reads a database file comes upon its damage: then the replica stops, and says so, and nobody is told that the node has a bug.</summary>
public sealed class DamagedReadTests
{
    /// <summary>What SQLite reads of a file before anything else: no name of a table.</summary>
    private const string Header = "";

    private const int PageBytes = 4096;

    /// <summary>More than a node that just started and has answered one request may have opened.</summary>
    private const int ConnectionsMax = 8;

    private static readonly TransactionLimits Limits = new();

    public enum Way
    {
        Read,
        Cursor,
        Export,
    }

    [Theory(Timeout = 120_000)]
    [InlineData(Way.Read, "t")]
    [InlineData(Way.Read, Header)]
    [InlineData(Way.Cursor, "t")]
    [InlineData(Way.Cursor, Header)]
    [InlineData(Way.Export, "polygraph_digests")]
    [InlineData(Way.Export, Header)]
    [InlineData(Way.Export, "polygraph_idempotency")]
    public async Task A_read_that_finds_the_file_damaged_stops_the_replica(Way way, string damaged)
    {
        var path = "";
        var node = await SingleNode.StartAsync(Limits);
        await node.Stream().ExecuteAsync("INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5000) SELECT x, x FROM c");

        // So that all of it is in the file.
        node = await node.RestartAsync(Limits, directory => path = Path.Combine(
            Assert.Single(Directory.GetDirectories(Path.Combine(directory, "databases"), "main.*")), "database.sqlite"));
        await using (node)
        {
            var root = (await node.Stream().ExecuteAsync($"SELECT coalesce(max(rootpage), 1) FROM sqlite_schema WHERE name = '{damaged}'")).Number;

            // Every connection that has read before, and may have the page in its memory, is taken: the read gets a new one.
            for (var i = 0; i < ConnectionsMax; i++)
                await node.Stream().ExecuteAsync("BEGIN TRANSACTION READONLY");
            Damage(path, root);

            var (status, body) = await AskAsync(node, way);
            Assert.Equal(way == Way.Cursor ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, status);
            Assert.Contains("REPLICA_UNAVAILABLE", body, StringComparison.Ordinal);

            var (next, told) = await SendAsync(node, HttpMethod.Post, "/v1/db/main/sql", new { sql = "SELECT 1" });
            Assert.Equal(HttpStatusCode.ServiceUnavailable, next);
            Assert.Contains("finds the database file damaged", told, StringComparison.Ordinal);
            var (_, report) = await SendAsync(node, HttpMethod.Get, "/v1/db/main", null);
            Assert.Contains("\"serving\":false", report, StringComparison.Ordinal);
            Assert.Contains("finds the database file damaged", report, StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_verification_asked_of_a_node_whose_copy_is_not_open_is_not_told_that_there_is_no_such_database()
    {
        var node = await SingleNode.StartAsync(Limits);
        node = await node.RestartAsync(Limits, directory => Damage(
            Path.Combine(Assert.Single(Directory.GetDirectories(Path.Combine(directory, "databases"), "main.*")), "database.sqlite"), page: 1));
        await using (node)
        {
            var (status, body) = await SendAsync(node, HttpMethod.Post, "/v1/db/main/verify", new { });
            Assert.True(status == HttpStatusCode.ServiceUnavailable, $"{status}: {body}");
        }
    }

    // SQLite's locks on the file end with this, which only another process would notice.
    private static void Damage(string path, long page)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Position = (page - 1) * PageBytes;
        file.Write([.. Enumerable.Repeat((byte)0xEE, 16)]);
    }

    private static Task<(HttpStatusCode Status, string Body)> AskAsync(SingleNode node, Way way)
        => way switch
        {
            Way.Read => SendAsync(node, HttpMethod.Post, "/v1/db/main/sql", new { sql = "SELECT sum(n) FROM t" }),
            Way.Cursor => SendAsync(node, HttpMethod.Post, "/v3/cursor", new { batch = new { steps = new[] { new { stmt = new { sql = "SELECT n FROM t" } } } } }),
            Way.Export => SendAsync(node, HttpMethod.Get, "/v1/db/main/export", null),
            _ => throw new ArgumentOutOfRangeException(nameof(way)),
        };

    private static async Task<(HttpStatusCode Status, string Body)> SendAsync(SingleNode node, HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await node.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
