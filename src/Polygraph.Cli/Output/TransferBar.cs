using Spectre.Console;

namespace Polygraph.Cli.Output;

/// <summary>Shows how far a file has travelled. Only in a terminal; elsewhere nothing is said before the end.</summary>
internal static class TransferBar
{
    public static async Task<T> RunAsync<T>(string what, long bytes, Func<Action<long>, Task<T>> work, string? whenDone = null)
    {
        if (Console.IsErrorRedirected)
            return await work(_ => { });
        return await Screen.Error.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new SpinnerColumn())
            .StartAsync(async bar =>
            {
                var task = bar.AddTask(Markup.Escape(what), maxValue: Math.Max(1, bytes));
                return await work(done =>
                {
                    task.Value = done;
                    if (done >= bytes && whenDone is not null)
                        task.Description = whenDone;
                });
            });
    }
}
