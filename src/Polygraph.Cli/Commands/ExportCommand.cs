using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using Polygraph.Cli.Client;
using Polygraph.Cli.Output;
using Polygraph.Storage.Files;
using Polygraph.Storage.Seeds;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph db export</c>: one state of a database as a plain SQLite file.</summary>
public static class ExportCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "The database." };
        var file = new Argument<string>("FILE") { Description = "The file to write." };
        var url = CommonOptions.Url();
        var force = new Option<bool>("--force") { Description = "Replace the file if it is there." };
        var read = new Option<string?>("--read") { Description = "How fresh it must be: linearizable (default), bounded, any, local.", HelpName = "LEVEL" };
        var staleness = new Option<string?>("--max-staleness") { Description = "For bounded: 500ms, 5s, 10min.", HelpName = "T" };
        var json = CommonOptions.Json();
        var command = new Command("export", "Write a database to a plain SQLite file.") { name, file, url, force, read, staleness, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = Path.GetFullPath(parsed.GetRequiredValue(file));
            RefuseToReplace(path, parsed.GetValue(force));
            using var client = parsed.Client(url);
            var call = new ExportCall(parsed.GetRequiredValue(name), parsed.GetValue(read), parsed.GetValue(staleness));
            using var response = await client.ExportAsync(call, cancellation);
            var exported = await SaveAsync(response, call.Database, path, parsed.GetValue(force), cancellation);
            if (parsed.GetValue(json))
                Screen.Verbatim(JsonSerializer.Serialize(exported, ClusterJson.Default.ExportView));
            else
                Screen.Hint($"Exported {exported.Database} at {exported.Position}: {exported.Bytes} bytes, digest {exported.Digest}, SHA-256 {exported.Sha256}, checked.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static void RefuseToReplace(string path, bool force)
    {
        if (Directory.Exists(path))
            throw new CommandFailedException($"{path} is a directory.", "Name a file.");
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            throw new CommandFailedException($"There is no directory {Path.GetDirectoryName(path)}.", "Make it, or name another file.");
        if (File.Exists(path) && !force)
            throw new CommandFailedException($"{path} is there already.", "Name another file, or write --force to replace it.");
        foreach (var companion in (string[])[path + "-wal", path + "-journal"])
        {
            // SQLite would take them for the new file's own, and spoil it.
            if (File.Exists(companion))
                throw new CommandFailedException($"{companion} is there: a program uses {path}, or did not end well.", "Name another file.");
        }
    }

    // Under another name until it is whole, durable and checked: what stands under the asked name is never half a database.
    private static async Task<ExportView> SaveAsync(HttpResponseMessage response, string database, string path, bool force, CancellationToken cancellation)
    {
        var partial = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            var bytes = response.Content.Headers.ContentLength ?? 0;
            var sha256 = await TransferBar.RunAsync($"Exporting {database}", bytes, progress => DownloadAsync(response, partial, progress, cancellation));
            var exported = new ExportView(
                database, path, Header(response, "Polygraph-Position"), bytes, sha256, Header(response, "Polygraph-Digest"), Header(response, "Polygraph-Served-By"));
            if (Header(response, "Content-Digest") != $"sha-256=:{Convert.ToBase64String(Convert.FromHexString(sha256))}:")
                throw new CommandFailedException("The file did not arrive as it was sent.", "Export it again.");
            await Screen.WhileAsync("Checking the file", () => Task.Run(() => DatabaseExport.Check(partial), cancellation));
            File.Move(partial, path, force);
            DiskFileSystem.Instance.SyncDirectory(Path.GetDirectoryName(path)!);
            return exported;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException or SeedRefusedException or HttpRequestException)
        {
            throw new CommandFailedException($"{path} was not written: {e.Message}");
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static async Task<string> DownloadAsync(HttpResponseMessage response, string path, Action<long> progress, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        using var file = DiskFileSystem.Instance.Open(path, FileOpening.New);
        var chunk = new byte[MeteredStream.ChunkBytes];
        long written = 0;
        while (await body.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellation) is var read and > 0)
        {
            file.Write(chunk.AsSpan(0, read), written);
            hash.AppendData(chunk, 0, read);
            progress(written += read);
        }

        file.Sync();
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string? Header(HttpResponseMessage response, string name)
        => response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values) ? values.First() : null;
}
