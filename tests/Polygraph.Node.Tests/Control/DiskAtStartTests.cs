using System.Diagnostics;
using Polygraph.Node.Tests.Transactions;

namespace Polygraph.Node.Tests.Control;

public sealed class DiskAtStartTests
{
    private static readonly TransactionLimits Limits = new();

    [Fact(Timeout = 120_000)]
    public async Task A_database_whose_disk_fails_at_the_start_is_opened_as_soon_as_the_disk_is_good_again()
    {
        var whole = await SingleNode.StartAsync(Limits);
        string log = "", away = "";
        var node = await whole.RestartAsync(Limits, directory =>
        {
            log = Path.Combine(Directory.GetDirectories(Path.Combine(directory, "databases"), "main.*").Single(), "log");
            away = log + ".away";
            Directory.Move(log, away);
            File.WriteAllText(log, "not a directory");
        });
        await using (node)
        {
            await WaitUntilAsync(node, text => text.Contains("The disk failed", StringComparison.Ordinal));
            File.Delete(log);
            Directory.Move(away, log);
            await WaitUntilAsync(node, text => !text.Contains("The disk failed", StringComparison.Ordinal) && !text.Contains("main", StringComparison.Ordinal));
            Assert.Null((await node.Stream().TryAsync("INSERT INTO t(n) VALUES(1)")).Code);
        }
    }

    private static async Task WaitUntilAsync(SingleNode node, Func<string, bool> isSo)
    {
        var began = Stopwatch.GetTimestamp();
        using var looks = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            using var answer = await node.Http.GetAsync(new Uri("/readyz", UriKind.Relative), TestContext.Current.CancellationToken);
            var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            if (isSo(text))
                return;
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(40), text);
            await looks.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
