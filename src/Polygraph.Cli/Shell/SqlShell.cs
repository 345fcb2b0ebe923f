using Polygraph.Cli.Client;
using Polygraph.Cli.Output;

namespace Polygraph.Cli.Shell;

/// <summary>
/// The interactive shell. An input ends with a semicolon at the end of a line; whatever it holds is one request: one transaction, one receipt.
/// Nothing but <c>.quit</c> and Ctrl-D ends the shell.
/// </summary>
public sealed class SqlShell(ClusterClient client, SqlCall defaults, Interrupt interrupt)
{
    private const string Continuation = "   ...> ";

    private ShellSettings _settings = new(defaults);

    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        Screen.Hint("Statements end with a semicolon; one input is one transaction. .help shows the commands, .quit ends.");
        var history = History.Open(History.DefaultPath());
        var editor = new LineEditor(history);
        Console.TreatControlCAsInput = true;
        try
        {
            await LoopAsync(editor, cancellation);
        }
        finally
        {
            Console.TreatControlCAsInput = false;
            history.Save();
        }

        return ExitCode.Ok;
    }

    private async Task LoopAsync(LineEditor editor, CancellationToken cancellation)
    {
        var pending = "";
        while (!cancellation.IsCancellationRequested)
        {
            var (end, line) = editor.Read(pending.Length == 0 ? $"{_settings.Call.Database}> " : Continuation);
            if (end == LineEnd.EndOfInput)
                return;
            if (end == LineEnd.Cancelled)
            {
                pending = "";
                continue;
            }

            if (pending.Length == 0 && line.TrimStart().StartsWith('.'))
            {
                if (!await ObeyAsync(line.Trim(), cancellation))
                    return;
                continue;
            }

            // No SQL begins so, and without a semicolon the shell would wait for the rest of it.
            if (pending.Length == 0 && line.Trim().TrimEnd(';').ToLowerInvariant() is "exit" or "quit")
            {
                Screen.Hint("To end the shell: .quit, or Ctrl-D.");
                continue;
            }

            pending = pending.Length == 0 ? line : pending + "\n" + line;
            var statements = StatementSplitter.Split(pending);
            if (statements.Rest.Length > 0)
                continue;
            pending = "";
            if (statements.Complete.Count > 0)
                await AttemptAsync(token => ExecuteAsync(statements.Complete, token), cancellation);
        }
    }

    /// <summary>False if the shell is to end.</summary>
    private async Task<bool> ObeyAsync(string line, CancellationToken cancellation)
    {
        if (line is ".quit" or ".exit")
            return false;

        await AttemptAsync(
            async token => _settings = await DotCommand.RunAsync(line, client, _settings, token),
            cancellation);
        return true;
    }

    // Ctrl-C ends the request, an error is printed, and the shell goes on.
    private async Task AttemptAsync(Func<CancellationToken, Task> action, CancellationToken cancellation)
    {
        using var request = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var diversion = interrupt.Divert(request);
        Console.TreatControlCAsInput = false;
        try
        {
            await action(request.Token);
        }
        catch (OperationCanceledException)
        {
            Screen.Hint("Cancelled.");
        }
        catch (CommandFailedException failure)
        {
            Screen.Problem(failure.Message);
            if (failure.Hint is { } hint)
                Screen.Hint(hint);
        }
        finally
        {
            Console.TreatControlCAsInput = true;
        }
    }

    private async Task ExecuteAsync(IReadOnlyList<string> statements, CancellationToken cancellation)
    {
        var started = TimeProvider.System.GetTimestamp();
        var call = (_settings.Call with { Statements = statements }).WithKey();
        SqlReply reply;
        try
        {
            reply = await client.ExecuteAsync(call, cancellation);
        }
        catch (OperationCanceledException)
        {
            throw new CommandFailedException("Cancelled. If it was a write, its outcome is unknown.", AnswerLostException.SameKey(call.Key!));
        }

        // A token makes "session" the server's default level; here the level is what .read says, so it goes along only when asked for.
        if (reply.Session is not null && _settings.Call.Read == "session")
            _settings = _settings with { Call = _settings.Call with { Session = reply.Session } };
        AnswerText.Print(reply, _settings.ShowsReceipts);
        if (_settings.ShowsTime)
            Screen.Hint($"{TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:0.0} ms, measured here");
    }
}
