using System.CommandLine;
using Polygraph.Cli.Client;
using Polygraph.Cli.Output;
using Spectre.Console;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph status</c>: the nodes, and what every replica holds.</summary>
public static class StatusCommand
{
    private static readonly TimeSpan WatchEvery = TimeSpan.FromMilliseconds(500);

    public static Command Create()
    {
        var url = CommonOptions.Url();
        var watch = new Option<bool>("--watch") { Description = "Keep it on the screen until Ctrl-C." };
        var json = CommonOptions.Json();
        var command = new Command("status", "Show the nodes, the databases and what every replica holds.") { url, watch, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = parsed.Client(url);
            if (parsed.GetValue(watch))
                return await WatchAsync(client, cancellation);
            if (parsed.GetValue(json))
                Screen.Verbatim(await client.GetClusterJsonAsync(cancellation));
            else
                Show(await client.GetClusterAsync(cancellation), client);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Show(ClusterView view, ClusterClient client)
    {
        ClusterTables.Print(view);
        Screen.Hint($"As {client.Current.Authority} knows it.");
    }

    private static async Task<int> WatchAsync(ClusterClient client, CancellationToken cancellation)
    {
        if (Console.IsOutputRedirected)
            throw new CommandFailedException("--watch needs a terminal.", "Use --json and ask again as often as you need.", ExitCode.Usage);

        await Screen.Out.Live(new Markup("")).StartAsync(async live =>
        {
            while (!cancellation.IsCancellationRequested)
            {
                live.UpdateTarget(await DrawAsync(client, cancellation));
                await Task.Delay(WatchEvery, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        });
        return ExitCode.Ok;
    }

    private static async Task<Spectre.Console.Rendering.IRenderable> DrawAsync(ClusterClient client, CancellationToken cancellation)
    {
        try
        {
            var view = await client.GetClusterAsync(cancellation);
            return new Rows(ClusterTables.Draw(view), new Markup($"\n[{Screen.Dim}]As {Markup.Escape(client.Current.Authority)} knows it. Ctrl-C ends.[/]"));
        }
        catch (CommandFailedException unreachable)
        {
            return new Markup($"[{Screen.Red}]{Markup.Escape(unreachable.Message)}[/]");
        }
        catch (OperationCanceledException)
        {
            return new Markup("");
        }
    }
}
