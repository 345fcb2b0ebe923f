using System.Diagnostics;
using System.Text.Json;
using Polygraph.Cli.Processes;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Storage.Snapshots;
using Polygraph.Wire.Log;

namespace Polygraph.Cli.Tests;

/// <summary><c>polygraph log</c>, on files of its own.</summary>
public sealed class LogCommandTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("polygraph-log-command-").FullName;

    public LogCommandTests()
    {
        var directory = Path.Combine(_data, "databases", "main.1", "log");
        using var log = ReplicationLog.Open(DiskFileSystem.Instance, directory, new GroupId(1), new ReplicationLogOptions());
        LogEntry[] entries = [NoOp(1), Insert(2, "a key\nwith a line"), NoOp(3)];
        log.Tail.Append(entries);
        log.Append(entries);
        log.Sync();
        Segment = Directory.GetFiles(directory).Single();
    }

    private string Segment { get; }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task A_dump_has_a_line_an_entry_with_what_it_does()
    {
        var (code, output, error) = await RunAsync("log", "dump", "--data", _data, "--from", "2");

        Assert.True(code == ExitCode.Ok && error.Length == 0, error);
        var lines = output.TrimEnd().Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("t1:i2  2023-11-14T22:13:20.000000Z  logical  ", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("  ack quorum  key a key with a line  insert account × 2, schema CREATE INDEX i ON account(id) × 1", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("t1:i3  ", lines[1], StringComparison.Ordinal);

        (_, output, _) = await RunAsync("log", "dump", "--data", _data, "--to", "2", "--json");
        var entry = JsonDocument.Parse(output.TrimEnd().Split('\n')[1]).RootElement;
        Assert.Equal(2ul, entry.GetProperty("index").GetUInt64());
        Assert.Equal("a key\nwith a line", entry.GetProperty("key").GetString());
        Assert.Equal(2, entry.GetProperty("operations")[0].GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task A_dump_of_a_range_without_entries_says_which_there_are()
    {
        var (code, output, error) = await RunAsync("log", "dump", "--data", _data, "--from", "4");

        Assert.Equal((ExitCode.Ok, ""), (code, output));
        Assert.Equal("No entry of main.1 was asked for: it has 3 entries, i1 to t1:i3.", error.Trim());
    }

    [Fact]
    public async Task A_check_counts_and_names_the_damage()
    {
        var (code, output, error) = await RunAsync("log", "check", "--data", _data);
        Assert.True(code == ExitCode.Ok && error.Length == 0, error);
        Assert.StartsWith("main.1: 3 entries, i1 to t1:i3, ", output, StringComparison.Ordinal);

        var bytes = File.ReadAllBytes(Segment);
        bytes[20] ^= 1; // In the header.
        File.WriteAllBytes(Segment, bytes);
        (code, output, error) = await RunAsync("log", "check", "--data", _data);

        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("DAMAGED", output, StringComparison.Ordinal);
        Assert.Contains($"'{Segment}' at offset 0", error, StringComparison.Ordinal);
        Assert.Contains("Restart the node: if the cluster has other nodes", error, StringComparison.Ordinal);
        Assert.DoesNotContain("e-seed", error, StringComparison.Ordinal);
        Assert.DoesNotContain("not replaced", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_is_damaged_again_is_not_said_to_be_replaced()
    {
        File.Copy(Segment, Segment + ReplicaHome.DamagedSuffix);
        var bytes = File.ReadAllBytes(Segment);
        bytes[20] ^= 1;
        File.WriteAllBytes(Segment, bytes);
        var (code, _, error) = await RunAsync("log", "check", "--data", _data);

        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("It is not replaced", error, StringComparison.Ordinal);
        Assert.DoesNotContain("takes a copy", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dump_of_an_empty_log_says_that_it_is_empty()
    {
        var empty = Path.Combine(_data, "databases", "empty.2", "log");
        ReplicationLog.Open(DiskFileSystem.Instance, empty, new GroupId(2), new ReplicationLogOptions()).Dispose();
        var (code, output, error) = await RunAsync("log", "dump", "--data", _data, "--db", "empty");

        Assert.Equal((ExitCode.Ok, "", "empty.2 has no entries."), (code, output, error.Trim()));
    }

    private static LogEntry NoOp(ulong index) => Entry(index, PayloadFormat.NoOp, null, []);

    private static LogEntry Insert(ulong index, string key)
    {
        var payload = new LogicalPayloadWriter();
        payload.WriteVersion();
        payload.WriteTable("account", 1);
        foreach (var value in (long[])[1, 2])
        {
            payload.WriteRowOperation(LogicalOperationKind.Insert, 0);
            payload.WriteInteger(value);
        }

        payload.WriteSchema("CREATE INDEX i ON account(id)");
        payload.WriteEnd([]);
        return Entry(index, PayloadFormat.Logical, key, payload.Written);
    }

    private static LogEntry Entry(ulong index, PayloadFormat format, string? key, ReadOnlySpan<byte> payload)
    {
        var position = new Position(new Term(1), new LogIndex(index));
        var header = new EntryHeader
        {
            Position = position,
            Payload = format,
            WallTimeMicroseconds = 1_700_000_000_000_000,
            IdempotencyKey = key,
            AckRequested = key is null ? AckLevel.None : AckLevel.Quorum,
        };
        return new LogEntry(position, EntryCodec.Encode(header, payload));
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(ProgramFile.Path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
