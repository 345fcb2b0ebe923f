using System.CommandLine;
using Polygraph.Cli.Output;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph verify</c>: every row of every replica is read and compared.</summary>
public static class VerifyCommand
{
    public static Command Create()
    {
        var url = CommonOptions.Url();
        var database = CommonOptions.Database();
        var json = CommonOptions.Json();
        var command = new Command("verify", "Read every row on every replica at one position, and compare.") { url, database, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = parsed.Client(url);
            var name = parsed.GetRequiredValue(database);
            var (view, text) = parsed.GetValue(json)
                ? await client.VerifyAsync(name, cancellation)
                : await Screen.WhileAsync("Every replica reads all its rows", () => client.VerifyAsync(name, cancellation));
            if (parsed.GetValue(json))
                Screen.Verbatim(text);
            else
                VerificationTables.Print(view);
            return view.Equal ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }
}
