using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace Polygraph.Node.Tests.Transactions;

/// <summary>Tests that measure the process: nothing else may run in it meanwhile.</summary>
[CollectionDefinition(nameof(MeasuresProcess), DisableParallelization = true)]
public sealed class MeasuresProcess;

/// <summary>Batches whose rows leave as their client reads them.</summary>
[Collection(nameof(MeasuresProcess))]
public sealed class CursorTests : IAsyncLifetime
{
    /// <summary>A hundred bytes a row, as many rows as anybody reads.</summary>
    private const string Endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x, printf('%0100d', x) FROM c";

    private static readonly TransactionLimits Short = new() { CursorIdle = TimeSpan.FromMilliseconds(500), Cursor = TimeSpan.FromSeconds(3), SnapshotsMax = 1 };

    private SingleNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await SingleNode.StartAsync(Short with { CursorIdle = TimeSpan.FromSeconds(20), Cursor = TimeSpan.FromMinutes(2) });

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task A_batch_of_reads_comes_line_by_line_as_its_conditions_want()
    {
        await _node.Stream().SendAsync("INSERT INTO t VALUES (1, 10), (2, 20)");
        var lines = await LinesAsync(
            null,
            Step("SELECT id FROM t ORDER BY id"),
            Step("SELECT * FROM missing"),
            Step("SELECT 1", new { type = "ok", step = 1 }),
            Step("SELECT 2 AS two", new { type = "error", step = 1 }));

        Assert.Equal(["", "step_begin", "row", "row", "step_end", "step_error", "step_begin", "row", "step_end", "replication_index"], lines.Select(TypeOf));
        Assert.NotNull(lines[0].GetProperty("baton").GetString());
        Assert.Equal("id", lines[1].GetProperty("cols")[0].GetProperty("name").GetString());
        Assert.Equal("2", lines[3].GetProperty("row")[0].GetProperty("value").GetString());
        Assert.Equal("SQLITE_ERROR", lines[5].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(3, lines[6].GetProperty("step").GetInt32());
    }

    [Fact]
    public async Task A_batch_that_writes_is_one_unit_with_a_receipt()
    {
        using var response = await PostAsync(null, Step("INSERT INTO t VALUES (7, 70)"), Step("SELECT count(*) FROM t"));
        Assert.True(response.Headers.Contains("Polygraph-Receipt"));
        var lines = await ReadAllAsync(response);
        Assert.Equal(["", "step_begin", "step_end", "step_begin", "row", "step_end", "replication_index"], lines.Select(TypeOf));
        Assert.Equal((1, 7), (lines[2].GetProperty("affected_row_count").GetInt32(), lines[2].GetProperty("last_insert_rowid").GetInt32()));
    }

    [Fact]
    public async Task The_baton_goes_on_with_the_stream_and_a_transaction_spans_cursors()
    {
        var begun = await LinesAsync(null, Step("BEGIN IMMEDIATE"), Step("INSERT INTO t VALUES (1, 10)"));
        var read = await LinesAsync(BatonOf(begun), Step("SELECT count(*) FROM t"));
        Assert.Equal("1", read[2].GetProperty("row")[0].GetProperty("value").GetString());
        var rolledBack = await LinesAsync(BatonOf(read), Step("ROLLBACK"));
        var begunAgain = await LinesAsync(BatonOf(rolledBack), Step("BEGIN TRANSACTION READONLY"), Step("SELECT 1"));
        await _node.Stream().ExecuteAsync("INSERT INTO t VALUES (2, 20)");
        var same = await LinesAsync(BatonOf(begunAgain), Step("SELECT count(*) FROM t"), Step("INSERT INTO t VALUES (4, 40)"));
        Assert.Equal("0", same[2].GetProperty("row")[0].GetProperty("value").GetString());
        Assert.Equal("SQLITE_READONLY", same[4].GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_million_rows_take_no_more_memory_than_a_thousand()
    {
        const int Rows = 1_000_000;
        using var response = await PostAsync(null, Step($"{Endless} LIMIT {Rows}"));
        await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var buffer = new byte[64 << 10];
        long total = 0;
        var lines = 0;
        var (least, most) = (long.MaxValue, 0L);
        var nextMark = 10 << 20;
        int count;
        while ((count = await body.ReadAsync(buffer, TestContext.Current.CancellationToken)) > 0)
        {
            total += count;
            lines += buffer.AsSpan(0, count).Count((byte)'\n');
            if (total < nextMark)
                continue;

            // All that is alive in this process, the node's side and the client's.
            nextMark += 10 << 20;
            var alive = GC.GetTotalMemory(forceFullCollection: true);
            (least, most) = (Math.Min(least, alive), Math.Max(most, alive));
        }

        // Baton, begin, end, replication index.
        Assert.Equal(Rows + 4, lines);
        TestContext.Current.SendDiagnosticMessage($"{total >> 20} MiB were read; alive between {least >> 10} and {most >> 10} KiB");
        // The rows as objects would be 200 MiB, the answer's text is 177.
        Assert.InRange(most - least, 0, 16 << 20);
    }

    [Fact]
    public async Task A_client_that_stops_reading_loses_its_snapshot()
    {
        await using var node = await SingleNode.StartAsync(Short);
        using var response = await PostAsync(node, null, Step(Endless));
        await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        Assert.True(await body.ReadAsync(new byte[10], TestContext.Current.CancellationToken) > 0);
        await WaitForSnapshotAsync(node);
        Assert.Contains("TRANSACTION_TIMEOUT", await LastLinesAsync(body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_reads_for_ever_is_cut_off()
    {
        await using var node = await SingleNode.StartAsync(Short);
        var clock = Stopwatch.StartNew();
        using var response = await PostAsync(node, null, Step(Endless));
        await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        Assert.Contains("TRANSACTION_TIMEOUT", await LastLinesAsync(body), StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, Short.Cursor * 0.9, Short.Cursor * 6);
    }

    [Fact]
    public async Task A_client_that_hangs_up_gives_its_snapshot_back()
    {
        using (await PostAsync(null, Step(Endless)))
        {
            // The answer has begun; nobody will read it.
        }

        await WaitForSnapshotAsync(_node);
    }

    // There is one snapshot to be had.
    private static async Task WaitForSnapshotAsync(SingleNode node)
    {
        var next = node.Stream();
        var waited = Stopwatch.StartNew();
        while ((await next.TryAsync("BEGIN TRANSACTION READONLY")).Code is not null)
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), "the snapshot was not given back");
        await next.CloseAsync();
    }

    private static object Step(string sql, object? condition = null) => new { condition, stmt = new { sql } };

    private static string TypeOf(JsonElement line) => line.TryGetProperty("type", out var type) ? type.GetString()! : "";

    private static string? BatonOf(IReadOnlyList<JsonElement> lines) => lines[0].GetProperty("baton").GetString();

    private static async Task<string> LastLinesAsync(Stream body)
    {
        var last = new byte[1000];
        var buffer = new byte[64 << 10];
        int count;
        while ((count = await body.ReadAsync(buffer, TestContext.Current.CancellationToken)) > 0)
        {
            var kept = Math.Min(count, last.Length);
            last.AsSpan(kept).CopyTo(last);
            buffer.AsSpan(count - kept, kept).CopyTo(last.AsSpan(last.Length - kept));
        }

        return System.Text.Encoding.UTF8.GetString(last);
    }

    private async Task<IReadOnlyList<JsonElement>> LinesAsync(string? baton, params object[] steps)
    {
        using var response = await PostAsync(baton, steps);
        return await ReadAllAsync(response);
    }

    private static async Task<IReadOnlyList<JsonElement>> ReadAllAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private Task<HttpResponseMessage> PostAsync(string? baton, params object[] steps) => PostAsync(_node, baton, steps);

    private static async Task<HttpResponseMessage> PostAsync(SingleNode node, string? baton, params object[] steps)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v3/cursor");
        request.Content = JsonContent.Create(new { baton, batch = new { steps } });
        var response = await node.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)response.StatusCode);
        return response;
    }
}
