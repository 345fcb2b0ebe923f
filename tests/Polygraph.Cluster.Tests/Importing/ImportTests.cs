using System.Net.Http.Headers;
using Polygraph.Cluster.Tests.Support;
using Polygraph.Storage.Tests.Seeds;

namespace Polygraph.Cluster.Tests.Importing;

/// <summary>A SQLite file becomes a database on every node, whole or not at all, and comes out again as it went in.</summary>
public sealed class ImportTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-import-").FullName;

    [Fact(Timeout = 180_000)]
    public async Task What_is_imported_is_equal_on_every_node_and_comes_out_as_it_went_in()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var file = PlainFile.Create(In("app.db"), PlainFile.Everything);
        var url = cluster.Processes.Layout("n2").Url.ToString();
        await PolygraphCommand.RunAsync(0, "db", "import", file, "--url", url);

        await cluster.AssertEqualAsync("app");
        foreach (var node in cluster.Nodes)
        {
            var exported = In($"{node}.db");
            var said = await PolygraphCommand.RunAsync(0, "db", "export", "app", exported, "--url", cluster.Processes.Layout(node).Url.ToString());
            Assert.Contains("Exported app at t", said.Error, StringComparison.Ordinal);
            Assert.Equal(PlainFile.ContentOf(file), PlainFile.ContentOf(exported));
            Assert.Empty(Leftovers(cluster, node));
        }

        // It is a database like any other: triggers, foreign keys and sequences go on where they were.
        await cluster["n1"].SqlAsync(new SqlAsk("DELETE FROM parent WHERE id = 1") { Database = "app", Ack = "all+applied" });
        await cluster["n3"].SqlAsync(new SqlAsk("INSERT INTO parent(name) VALUES ('four')") { Database = "app" });
        var answer = await cluster["n2"].SqlAsync(new SqlAsk("SELECT (SELECT max(id) FROM parent) * 10 + (SELECT count(*) FROM log)") { Database = "app" });
        Assert.Equal(41, answer.Number);
        await cluster.AssertEqualAsync("app");
    }

    [Fact(Timeout = 180_000)]
    public async Task A_node_that_was_away_fetches_the_rows_and_serves_them_although_the_others_went_on()
    {
        await using var cluster = await LiveCluster.StartAsync();
        cluster.Processes.Kill("n3");
        await cluster.LeaderAsync();
        var file = PlainFile.Create(In("app.db"), PlainFile.Everything);
        var said = await PolygraphCommand.RunAsync(0, "db", "import", file, "--json", "--url", cluster.Processes.Layout("n1").Url.ToString());
        Assert.Contains("\"missing\":[\"n3\"]", said.Out, StringComparison.Ordinal);
        await cluster["n1"].SqlAsync(new SqlAsk("INSERT INTO kinds VALUES ('later')") { Database = "app" });

        cluster.Processes.Start("n3");
        await cluster.WaitUntilServingAsync("n3", "app");
        await cluster.AssertEqualAsync("app");
    }

    [Fact(Timeout = 180_000)]
    public async Task A_coordinator_that_dies_leaves_nothing_half_made_and_the_name_free()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var file = await File.ReadAllBytesAsync(PlainFile.Create(In("app.db"), PlainFile.Everything), TestContext.Current.CancellationToken);
        var stalled = new StalledContent(file, file.Length / 2);
        using var goesAway = new CancellationTokenSource();
        var import = cluster["n1"].SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/db/app/import") { Content = stalled }, goesAway.Token);
        await stalled.Stalled.WaitAsync(LiveCluster.Patience, TestContext.Current.CancellationToken);
        await UntilAsync(cluster, "n2", files => files > 0, "the file is sent on, while it comes in, to");
        cluster.Processes.Kill("n1");
        await goesAway.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => import);
        cluster.Processes.Start("n1");
        foreach (var node in cluster.Nodes)
            await cluster.WaitUntilServingAsync(node);

        foreach (var node in cluster.Nodes)
            await UntilAsync(cluster, node, files => files == 0, "nothing of the import is left on");
        await PolygraphCommand.RunAsync(0, "db", "import", In("app.db"), "--url", cluster.Processes.Layout("n1").Url.ToString());
        await cluster.AssertEqualAsync("app");
    }

    [Fact(Timeout = 180_000)]
    public async Task A_client_that_goes_away_leaves_nothing_half_made()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var file = await File.ReadAllBytesAsync(PlainFile.Create(In("app.db"), PlainFile.Everything), TestContext.Current.CancellationToken);
        using var goesAway = new CancellationTokenSource();
        var stalled = new StalledContent(file, file.Length - 1);
        var import = cluster["n2"].SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/db/app/import") { Content = stalled }, goesAway.Token);
        await stalled.Stalled.WaitAsync(LiveCluster.Patience, TestContext.Current.CancellationToken);
        await goesAway.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => import);

        foreach (var node in cluster.Nodes)
            await UntilAsync(cluster, node, files => files == 0, "nothing of the import is left on");
        Assert.Null((await cluster["n1"].ClusterAsync()).Database("app"));
    }

    [Fact(Timeout = 180_000)]
    public async Task Careless_calls_are_refused_in_words_and_change_nothing()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var url = cluster.Processes.Layout("n1").Url.ToString();
        var file = PlainFile.Create(In("app.db"), ["CREATE TABLE t(x)"]);
        await File.WriteAllTextAsync(In("text.db"), "not a database, but long enough to be looked at", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(In("empty.db"), "", TestContext.Current.CancellationToken);
        PlainFile.Create(In("My App.db"), ["CREATE TABLE t(x)"]);

        await RefusedAsync("cannot be read", "db", "import", In("none.db"), "--url", url);
        await RefusedAsync("It is a directory", "db", "import", _directory, "--db", "app", "--url", url);
        await RefusedAsync("no SQLite database, or an encrypted one", "db", "import", In("text.db"), "--url", url);
        await RefusedAsync("It is empty", "db", "import", In("empty.db"), "--url", url);
        await RefusedAsync("already", "db", "import", file, "--db", "main", "--url", url);
        Assert.Contains("--db NAME", (await PolygraphCommand.RunAsync(2, "db", "import", In("My App.db"), "--url", url)).Error, StringComparison.Ordinal);
        await RefusedAsync("no database", "db", "export", "none", In("x.db"), "--url", url);
        await RefusedAsync("--force", "db", "export", "main", file, "--url", url);
        await RefusedAsync("There is no directory", "db", "export", "main", In("no/such/directory.db"), "--url", url);
        await PolygraphCommand.RunAsync(0, "db", "export", "main", file, "--force", "--url", url);
        Assert.Equal(4, Directory.GetFiles(_directory).Length);

        var api = cluster["n1"];
        Assert.Equal((400, "IMPORT_REFUSED"), await CodeAsync(api, Body(new byte[5000])));
        var content = await File.ReadAllBytesAsync(In("My App.db"), TestContext.Current.CancellationToken);
        Assert.Equal((400, "DIGEST_MISMATCH"), await CodeAsync(api, Body(content, Sha256Of([1]))));
        Assert.Equal((400, "DIGEST_MISMATCH"), await CodeAsync(api, Body(content, $"{Sha256Of(content)}, polygraph-128=:{Convert.ToBase64String(new byte[16])}:")));
        Assert.Equal((400, "HEADER_INVALID"), await CodeAsync(api, Body(content, "md5=:AAAA:")));
        Assert.Equal((201, null), await CodeAsync(api, Body(content, Sha256Of(content)), "/v1/db/announced/import"));
        Assert.Equal((415, "CONTENT_TYPE_UNSUPPORTED"), await CodeAsync(api, new ByteArrayContent([1])));
        Assert.Equal((507, "NO_ROOM"), await CodeAsync(api, new EndlessContent()));
        Assert.Equal((403, "NOT_A_MEMBER"), await CodeAsync(api, Body([1]), $"/internal/imports/{Guid.NewGuid():N}"));
        foreach (var node in cluster.Nodes)
            await UntilAsync(cluster, node, files => files == 0, "nothing is left on");

        cluster.Processes.Kill("n2");
        cluster.Processes.Kill("n3");
        Assert.Equal(503, (await CodeAsync(api, Body([1]))).Status);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static async Task RefusedAsync(string reason, params string[] arguments)
        => Assert.Contains(reason, (await PolygraphCommand.RunAsync(1, arguments)).Error, StringComparison.Ordinal);

    private static async Task<(int Status, string? Code)> CodeAsync(NodeApi api, HttpContent content, string path = "/v1/db/app/import")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.ExpectContinue = true;
        var answer = await api.SendAsync(request);
        return (answer.Status, answer.Code);
    }

    private static string Sha256Of(byte[] content) => $"sha-256=:{Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(content))}:";

    private static ByteArrayContent Body(byte[] content, string? digest = null)
    {
        var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/vnd.sqlite3");
        if (digest is not null)
            body.Headers.Add("Content-Digest", digest);
        return body;
    }

    private static IReadOnlyList<string> Leftovers(LiveCluster cluster, string node)
        => [.. ((string[])["imports", "exports"]).Select(name => Path.Combine(cluster.DirectoryOf(node), name)).Where(Directory.Exists).SelectMany(Directory.GetFileSystemEntries)];

    /// <summary>Waits for something that shows in a node's files; the node is asked between two looks.</summary>
    private static Task UntilAsync(LiveCluster cluster, string node, Func<int, bool> condition, string what)
        => cluster.WaitUntilAsync(node, _ => condition(Leftovers(cluster, node).Count), $"{what} {node}");

    private string In(string name) => Path.Combine(_directory, name);
}
