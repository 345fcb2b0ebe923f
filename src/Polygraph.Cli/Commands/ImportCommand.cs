using System.CommandLine;
using System.Globalization;
using Polygraph.Cli.Client;
using Polygraph.Cli.Output;
using Polygraph.Node.Http;
using Polygraph.Storage.Seeds;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph db import</c>: a SQLite file becomes a replicated database.</summary>
public static class ImportCommand
{
    /// <summary>The node's answer to a file that can never be a database there.</summary>
    private const string RefusedFileCode = "IMPORT_REFUSED";

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The SQLite file. It is only read, and may be in use." };
        var url = CommonOptions.Url();
        var name = new Option<string?>("--db") { Description = "The new database. [default: the file's name without its ending]", HelpName = "NAME" };
        var ack = new Option<string?>("--ack") { Description = "The ack level of writes that name none.", HelpName = "LEVEL" };
        var temporary = new Option<string>("--temp")
        {
            Description = "Where a copy of a file in WAL mode is kept while it is sent.",
            DefaultValueFactory = _ => Path.GetTempPath(),
            HelpName = "DIR",
        };
        var json = CommonOptions.Json();
        var command = new Command("import", "Make a SQLite file a database on every node.") { file, url, name, ack, temporary, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            var database = NameFor(path, parsed.GetValue(name));
            using var client = parsed.Client(url);
            using var source = Open(path, parsed.GetRequiredValue(temporary), cancellation);
            var (view, text) = await TransferBar.RunAsync($"Importing {Path.GetFileName(path)}", source.Bytes, async progress =>
            {
                var digest = await SeedDigest.OfAsync(source.Content, cancellation);
                source.CheckUnchanged();
                return await ImportAsync(client, path, new ImportCall(database, parsed.GetValue(ack), source.Content, digest), progress, cancellation);
            }, "The nodes check it and prepare it");
            if (parsed.GetValue(json))
                Screen.Verbatim(text);
            else
                Print(view);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The name that was given, or the one of the file.</summary>
    internal static string NameFor(string path, string? given)
    {
        var name = given ?? Path.GetFileNameWithoutExtension(path);
        if (DatabaseName.IsForUsers(name))
            return name;
        throw new CommandFailedException(
            $"'{name}' is not a name for a database. {DatabaseName.Rule}", given is null ? "Give it a name with --db NAME." : null, ExitCode.Usage);
    }

    private static SourceDatabase Open(string path, string temporary, CancellationToken cancellation)
    {
        try
        {
            return SourceDatabase.Open(path, temporary, cancellation);
        }
        catch (SeedRefusedException e)
        {
            throw new CommandFailedException($"{path} cannot be imported. {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"{path} cannot be read: {e.Message}", Directory.Exists(path) ? "It is a directory; name the database file." : null);
        }
    }

    // The node has only the file's content, and says "it".
    private static async Task<(ImportView View, string Json)> ImportAsync(
        ClusterClient client, string path, ImportCall call, Action<long> progress, CancellationToken cancellation)
    {
        try
        {
            return await client.ImportAsync(call, progress, cancellation);
        }
        catch (RequestRefusedException e) when (e.Problem.Code == RefusedFileCode)
        {
            throw new CommandFailedException($"{path} cannot be imported. {e.Message}", e.Hint, e.ExitCode);
        }
    }

    private static void Print(ImportView view)
    {
        var seconds = view.Seconds.ToString("0.0", CultureInfo.InvariantCulture);
        Screen.Hint(
            $"Imported {view.Database}: {CountText.Of(view.Tables, "table")}, {CountText.Of(view.Rows, "row")}, {view.Bytes >> 20} MiB in {seconds} s; held by {string.Join(", ", view.Nodes)}.");
        if (view.Missing.Count > 0)
            Screen.Hint($"{string.Join(", ", view.Missing)} did not take it and will fetch it when able: see {CommandName.Current} status.");
        Screen.Hint($"Open it with: {CommandName.Current} sql --db {view.Database}");
    }
}
