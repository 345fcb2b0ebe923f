using Polygraph.Cli.Client;
using Polygraph.Cli.Processes;

namespace Polygraph.Cli.Demos.Day;

/// <summary>
/// One client of the shop: asks one thing after another at a node of its own, and again, under the same idempotency key, wherever somebody
/// answers, until it knows how that ended.
/// </summary>
public sealed class DayClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DayTraffic _traffic;
    private readonly DayLedger _ledger;
    private readonly ClusterClient _client;
    private int _sentAgain;

    public DayClient(LocalCluster cluster, DayLength length, int number, DayLedger ledger)
    {
        _traffic = new DayTraffic(length.Seed, number);
        _ledger = ledger;
        var first = number % cluster.Nodes.Count;
        _client = new ClusterClient([.. cluster.Nodes.Skip(first).Concat(cluster.Nodes.Take(first)).Select(node => node.Url)]);
    }

    /// <summary>Requests that were sent again with their key, because nobody accepted them or it was not certain how they had ended.</summary>
    public int SentAgain => _sentAgain + _client.SentAgain;

    /// <summary>One hour of the day.</summary>
    public async Task WorkAsync(int hourOfDay, int requests, CancellationToken cancellation)
    {
        for (var i = 0; i < requests; i++)
            await AskAsync(_traffic.Next(hourOfDay), cancellation);
    }

    public void Dispose() => _client.Dispose();

    private async Task AskAsync(DayRequest request, CancellationToken cancellation)
    {
        var call = new SqlCall(DemoStage.Database, request.Statements, Key: request.End == DayEnd.Read ? null : request.Name);
        var started = TimeProvider.System.GetTimestamp();
        while (await TryAsync(call, cancellation) is var end)
        {
            // Also done: an earlier attempt was, as its level asks, and only the rows that it returned are gone, which nobody here needs.
            if (end is { Problem: null, Answer: not null } or { Problem.Code: "ANSWER_NOT_KEPT" })
            {
                _ledger.NoteDone(request);
                return;
            }

            if (end?.Problem is { IsNotApplied: true, Status: not 503 } refusal)
            {
                _ledger.NoteRefused(request, $"{refusal.Code}: {refusal.Detail}");
                return;
            }

            // Done on too few copies, unknown, or nobody answered: the key makes it safe to ask again.
            if (TimeProvider.System.GetElapsedTime(started) > Patience)
                throw new CommandFailedException($"{request.Name} got no certain answer in {Patience.TotalSeconds} s. The last: {end?.Json ?? "none"}");
            _sentAgain++;
        }
    }

    private async Task<SqlReply?> TryAsync(SqlCall call, CancellationToken cancellation)
    {
        try
        {
            return await _client.ExecuteAsync(call, cancellation);
        }
        catch (Exception lost) when (lost is AnswerLostException or ClusterUnreachableException)
        {
            return null;
        }
    }
}
