using System.CommandLine;
using System.Globalization;
using Polygraph.Cli.Client;
using Polygraph.Cli.Output;
using Polygraph.Cli.Shell;
using Polygraph.Node.Http;
using Polygraph.Wire.Sql;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph sql</c>: one request, or a shell.</summary>
public static class SqlCommand
{
    public static Command Create(Interrupt interrupt)
    {
        var sql = new Argument<string?>("SQL")
        {
            Description = "One or more statements, run as one transaction. Without it: a shell, or the standard input if that is not a terminal.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var url = CommonOptions.Url();
        var database = CommonOptions.Database();
        var ack = new Option<string?>("--ack") { Description = "How many copies must hold a write: async, semi-sync, quorum or all, each with +applied.", HelpName = "LEVEL" };
        var read = new Option<string?>("--read") { Description = "What a read promises: linearizable, session, bounded, any or local.", HelpName = "LEVEL" };
        var maxStaleness = new Option<string?>("--max-staleness") { Description = "How old a bounded read may be: 500ms, 5s, 10min.", HelpName = "T" };
        var maxLag = new Option<string?>("--max-lag") { Description = "How many entries a bounded read may lag.", HelpName = "N" };
        var key = new Option<string?>("--key")
        {
            Description = "The idempotency key: a request that is sent again under its key is applied once. Without it one is drawn. Not for a shell.",
            HelpName = "KEY",
        };
        var refused = new Option<bool>("--refused") { Description = "List the SQL that is refused, with the reason of each, and end." };
        var json = CommonOptions.Json();

        var command = new Command("sql", "Run SQL, or open a shell.") { sql, url, database, ack, read, maxStaleness, maxLag, key, refused, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(refused))
            {
                RefusedSqlTable.Print(parsed.GetValue(json));
                return ExitCode.Ok;
            }

            var call = Check(new SqlCall(
                parsed.GetRequiredValue(database),
                [],
                parsed.GetValue(ack),
                parsed.GetValue(read),
                parsed.GetValue(maxStaleness),
                parsed.GetValue(maxLag),
                Key: parsed.GetValue(key)));
            using var client = parsed.Client(url);
            var text = parsed.GetValue(sql);
            // To SQLite it is a comment, and to whoever mistyped an option nothing to wonder about.
            if (text is not null && text.StartsWith("--", StringComparison.Ordinal) && !text.Contains('\n', StringComparison.Ordinal))
                throw new CommandFailedException($"'{text}' is no option of sql, and no SQL.", $"See {CommandName.Current} sql --help", ExitCode.Usage);
            if (text is null && !Console.IsInputRedirected && call.Key is not null)
                throw new CommandFailedException("--key is for one request; a shell sends many.", "Give the SQL as an argument, or by a pipe.", ExitCode.Usage);
            if (text is null && !Console.IsInputRedirected)
                return await new SqlShell(client, call, interrupt).RunAsync(cancellation);

            text ??= await Console.In.ReadToEndAsync(cancellation);
            return await RunOnceAsync(client, call with { Statements = StatementSplitter.Split(text).All }, parsed.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunOnceAsync(ClusterClient client, SqlCall call, bool json, CancellationToken cancellation)
    {
        if (call.Statements.Count == 0)
            throw new CommandFailedException("There is no SQL in that.", null, ExitCode.Usage);

        call = call.WithKey();
        SqlReply reply;
        try
        {
            reply = await client.ExecuteAsync(call, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw new CommandFailedException(
                "Interrupted. The request was on its way: if it writes, its outcome is unknown.",
                AnswerLostException.SameKey(call.Key!), ExitCode.GuaranteeNotReached);
        }

        if (json)
            Screen.Verbatim(reply.Json);
        else
            AnswerText.Print(reply, withReceipt: true);
        if (reply.Problem is not null && call.Statements is [var first, var second, ..] && IsDump(first, second))
            Screen.Hint($"This looks like what .dump wrote. A whole database is taken from its file: {CommandName.Current} db import FILE");
        return reply.Problem?.ExitCode ?? (reply.Answer?.Receipt is { Degraded: true } ? ExitCode.GuaranteeNotReached : ExitCode.Ok);
    }

    private static bool IsDump(string first, string second)
        => first.StartsWith("PRAGMA foreign_keys=OFF", StringComparison.OrdinalIgnoreCase) && second.StartsWith("BEGIN", StringComparison.OrdinalIgnoreCase);

    // The server checks again; here a typing error is a usage error, and costs no round trip.
    private static SqlCall Check(SqlCall call)
    {
        string? error = null;
        if (call.Ack is not null && !AckPolicyText.TryParse(call.Ack, out _, out error))
            throw new CommandFailedException($"--ack: {error}", null, ExitCode.Usage);
        if (call.Read is not null && !ReadLevelText.TryParse(call.Read, out _, out error))
            throw new CommandFailedException($"--read: {error}", null, ExitCode.Usage);
        if (call.MaxStaleness is not null && !DurationText.TryParse(call.MaxStaleness, out _, out error))
            throw new CommandFailedException($"--max-staleness: {error}", null, ExitCode.Usage);
        if (call.MaxLag is not null && !ulong.TryParse(call.MaxLag, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            throw new CommandFailedException($"--max-lag: '{call.MaxLag}' is not a number of entries.", null, ExitCode.Usage);
        if (call.Key is { } key && (key.Length is 0 or > HttpLimits.IdempotencyKeyLengthMax || key.AsSpan().ContainsAnyExceptInRange(' ', '~')))
            throw new CommandFailedException($"--key: use 1 to {HttpLimits.IdempotencyKeyLengthMax} printable ASCII characters.", null, ExitCode.Usage);
        return call;
    }
}
