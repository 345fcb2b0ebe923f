using System.Diagnostics;
using System.Text.Json;
using Polygraph.Cli.Processes;
using Polygraph.Cli.Tests.Client;
using Polygraph.Storage;

namespace Polygraph.Cli.Tests;

/// <summary>The program as scripts see it: what it prints where, and its exit code.</summary>
public sealed class CommandLineTests
{
    /// <summary>For what a program does right after its start; a loaded machine needs room.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(ExitCode.Usage, "frobnicate")]
    [InlineData(ExitCode.Usage, "sql --ack most 'select 1'")]
    [InlineData(ExitCode.Usage, "sql --read fresh 'select 1'")]
    [InlineData(ExitCode.Usage, "sql --max-staleness 5 'select 1'")]
    [InlineData(ExitCode.Usage, "sql --max-lag few 'select 1'")]
    [InlineData(ExitCode.Usage, "sql --url nowhere:// 'select 1'")]
    [InlineData(ExitCode.Usage, "sql ' -- nothing'")]
    [InlineData(ExitCode.Usage, "up --nodes 10")]
    [InlineData(ExitCode.Usage, "up --base-port 65500")]
    [InlineData(ExitCode.Usage, "up --ephemeral --detach")]
    [InlineData(ExitCode.Usage, "node --id n1 --data d --listen 0.0.0.0:1 --peer-listen 127.0.0.1:2 --peers n1=127.0.0.1:2")]
    [InlineData(ExitCode.Failed, "db drop x --confirm y")]
    [InlineData(ExitCode.Failed, "status --url 127.0.0.1:1")]
    [InlineData(ExitCode.Failed, "log check --data /nowhere")]
    [InlineData(ExitCode.Failed, "log dump --data /nowhere")]
    [InlineData(ExitCode.Usage, "log dump")]
    [InlineData(ExitCode.Ok, "--version")]
    [InlineData(ExitCode.Ok, "demo --help")]
    [InlineData(ExitCode.Ok, "sql --refused")]
    public async Task Exit_codes_say_what_happened_and_problems_go_to_the_standard_error(int exitCode, string arguments)
    {
        var (code, output, error) = await RunAsync(arguments);

        Assert.True(code == exitCode, $"exit code {code}\n{output}\n{error}");
        Assert.Equal(code == ExitCode.Ok, error.Length == 0);
        Assert.DoesNotContain('\e', output + error);
        if (code != ExitCode.Ok)
            Assert.Empty(output);
    }

    [Theory]
    [InlineData("statsu", "Did you mean status?")]
    [InlineData("log chek", "Did you mean check?")]
    [InlineData("up --node 2", "Did you mean --nodes?")]
    public async Task A_word_that_is_not_understood_has_the_nearest_one_suggested(string arguments, string suggestion)
        => Assert.Contains(suggestion, (await RunAsync(arguments)).Error, StringComparison.Ordinal);

    [Fact]
    public async Task Nothing_is_suggested_that_is_not_near()
        => Assert.DoesNotContain("Did you mean", (await RunAsync("frobnicate")).Error, StringComparison.Ordinal);

    [Fact]
    public async Task A_file_that_a_node_refuses_is_named()
    {
        using var node = new ScriptedNode(new ScriptedNode.Answer(400, """{"title":"t","status":400,"code":"IMPORT_REFUSED","detail":"It is damaged."}"""));
        var file = Path.Combine(Path.GetTempPath(), $"polygraph-{Guid.NewGuid():N}.db");
        try
        {
            File.WriteAllBytes(file, EmptyDatabase());
            var (code, _, error) = await RunAsync($"db import {file} --db shop --url {node.Url}");

            Assert.Equal(ExitCode.Failed, code);
            Assert.Contains($"{file} cannot be imported. It is damaged.", error, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_request_that_is_interrupted_is_of_unknown_outcome_and_its_key_is_said()
    {
        using var node = new UnhurriedNode(isThere: false, "");
        using var process = Start($"sql --url {node.Url} 'INSERT INTO t VALUES (1)'");
        var error = process.StandardError.ReadToEndAsync();
        var request = await node.FirstRequest.WaitAsync(Limit);
        using (var interrupt = Process.Start("kill", ["-INT", $"{process.Id}"]))
            await interrupt.WaitForExitAsync();

        await process.WaitForExitAsync();

        var key = request.Split("Polygraph-Idempotency-Key: ")[1].Split('\r')[0];
        Assert.Equal(ExitCode.GuaranteeNotReached, process.ExitCode);
        Assert.Contains("its outcome is unknown", await error, StringComparison.Ordinal);
        Assert.Contains($"--key '{key}'", await error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("db create shop", "shop is created")]
    [InlineData("db drop shop --confirm shop", "shop is dropped")]
    public async Task A_change_of_databases_that_is_interrupted_is_of_unknown_outcome(string arguments, string outcome)
    {
        using var node = new UnhurriedNode(isThere: false, "");
        using var process = Start($"{arguments} --url {node.Url}");
        var error = process.StandardError.ReadToEndAsync();
        await node.FirstRequest.WaitAsync(Limit);
        using (var interrupt = Process.Start("kill", ["-INT", $"{process.Id}"]))
            await interrupt.WaitForExitAsync();

        await process.WaitForExitAsync();

        Assert.Equal(ExitCode.GuaranteeNotReached, process.ExitCode);
        Assert.Contains($"whether {outcome} is unknown", await error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Down_where_nothing_runs_is_no_failure()
    {
        var (code, _, error) = await RunAsync("down --data /nowhere/at/all");

        Assert.Equal(ExitCode.Ok, code);
        Assert.Contains("No cluster runs", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_refused_SQL_is_listed_for_people_and_for_scripts()
    {
        var (_, table, _) = await RunAsync("sql --refused");
        var (code, json, _) = await RunAsync("sql --refused --json");

        Assert.Equal(ExitCode.Ok, code);
        using var document = JsonDocument.Parse(json);
        var listed = document.RootElement.EnumerateArray().Select(each => each.GetProperty("example").GetString()!).ToList();
        Assert.Equal(RefusedSql.All.Select(each => each.Example), listed);
        Assert.All(listed, example => Assert.Contains(example, table, StringComparison.Ordinal));
        Assert.Equal("NOT_ALLOWED", document.RootElement[0].GetProperty("code").GetString());
    }

    /// <summary>A database of one page and no table, as SQLite's file format describes it.</summary>
    private static byte[] EmptyDatabase()
    {
        var page = new byte[512];
        "SQLite format 3\0"u8.CopyTo(page);
        (page[16], page[18], page[19], page[21], page[22], page[23]) = (2, 1, 1, 64, 32, 32); // 512 bytes a page; journal; payload fractions.
        (page[27], page[31], page[47], page[59], page[95]) = (1, 1, 4, 1, 1); // Changes, pages, schema format, UTF-8, pages valid for.
        (page[100], page[105]) = (13, 2); // A leaf of a table, whose content begins at its end.
        return page;
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string arguments)
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    private static Process Start(string arguments)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec '{ProgramFile.Path}' {arguments}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }
}
