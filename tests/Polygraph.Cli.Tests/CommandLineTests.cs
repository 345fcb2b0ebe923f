using System.Diagnostics;
using System.Text.Json;
using Polygraph.Cli.Processes;
using Polygraph.Storage;

namespace Polygraph.Cli.Tests;

/// <summary>The program as scripts see it: what it prints where, and its exit code.</summary>
public sealed class CommandLineTests
{
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

    private static async Task<(int Code, string Output, string Error)> RunAsync(string arguments)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec '{ProgramFile.Path}' {arguments}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
