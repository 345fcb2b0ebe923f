using System.Net;
using System.Net.Http.Json;
using Polygraph.Node.Tests.Transactions;

namespace Polygraph.Node.Tests.Control;

public sealed class DroppedDatabaseTests
{
    private static readonly TransactionLimits Limits = new();

    [Fact(Timeout = 120_000)]
    public async Task What_a_crash_left_of_a_dropped_database_is_removed_at_the_next_start_and_nothing_else()
    {
        var node = await SingleNode.StartAsync(Limits);
        await AskAsync(node, HttpMethod.Put, "/v1/db/shop", new { });
        await AskAsync(node, HttpMethod.Post, "/v1/db/shop/sql", new { statements = new[] { new { sql = "CREATE TABLE item(id INTEGER PRIMARY KEY)" } } });
        var left = "";
        node = await node.RestartAsync(Limits, directory => left = Saved(directory));
        // At once: the node has not read its catalogue yet.
        await AskAsync(node, HttpMethod.Delete, "/v1/db/shop", null);
        using (var again = await node.Http.DeleteAsync(new Uri("/v1/db/shop", UriKind.Relative), TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        var databases = "";
        using var watcher = new FileSystemWatcher { NotifyFilter = NotifyFilters.DirectoryName };
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Deleted += (_, change) => NoteIfGone(change.Name);
        watcher.Renamed += (_, change) => NoteIfGone(change.OldName);
        node = await node.RestartAsync(Limits, directory =>
        {
            databases = Path.Combine(directory, "databases");
            // As if the drop had been written, and the power had failed before the files were removed.
            Directory.Move(left, Path.Combine(databases, Path.GetFileName(left)));
            Directory.CreateDirectory(Path.Combine(databases, "strange.4711"));
            (watcher.Path, watcher.EnableRaisingEvents) = (databases, true);
        });
        await using (node)
        {
            await gone.Task.WaitAsync(TestContext.Current.CancellationToken);
            Assert.True(Directory.Exists(Path.Combine(databases, "strange.4711")));
            Assert.Single(Directory.GetDirectories(databases, "main.*"));
            Assert.Null((await node.Stream().TryAsync("INSERT INTO t(n) VALUES(1)")).Code);
        }

        void NoteIfGone(string? directory)
        {
            if (directory == Path.GetFileName(left))
                gone.TrySetResult();
        }
    }

    private static string Saved(string directory)
    {
        var home = Assert.Single(Directory.GetDirectories(Path.Combine(directory, "databases"), "shop.*"));
        var saved = Path.Combine(Directory.CreateDirectory(Path.Combine(directory, "saved")).FullName, Path.GetFileName(home));
        Directory.CreateDirectory(saved);
        foreach (var file in Directory.GetFiles(home))
            File.Copy(file, Path.Combine(saved, Path.GetFileName(file)));
        return saved;
    }

    private static async Task AskAsync(SingleNode node, HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await node.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
