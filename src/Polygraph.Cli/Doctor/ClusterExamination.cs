using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Polygraph.Cli.Client;
using Polygraph.Node.Diagnosis;

namespace Polygraph.Cli.Doctor;

/// <summary>Asks every node of a running cluster, each for itself.</summary>
public sealed class ClusterExamination : IDisposable
{
    /// <summary>Of so many answers the fastest tells the clock.</summary>
    private const int ClockLooks = 3;

    private const int SyncSamples = 30;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = Patience };

    /// <summary>A node's clock against this program's.</summary>
    private readonly record struct ClockLook(TimeSpan Offset, TimeSpan Error);

    /// <summary>Every node's answer, in the order of the cluster's list. One after the other, so that they do not slow one another's disk down.</summary>
    public async Task<IReadOnlyList<NodeAnswer>> AskAsync(ClusterView view, CancellationToken cancellation)
    {
        var answers = new List<NodeAnswer>();
        ClockLook? first = null;
        foreach (var node in view.Nodes)
        {
            if (node.Http is null)
            {
                answers.Add(new NodeAnswer(node.Id, null, "its address is not known", null, default));
                continue;
            }

            try
            {
                var look = await LookAtClockAsync(node.Http, cancellation);
                first ??= look;
                var diagnosis = await AskAsync(node.Http, SyncSamples, cancellation);
                answers.Add(new NodeAnswer(node.Id, diagnosis, null, look.Offset - first.Value.Offset, look == first ? default : look.Error + first.Value.Error));
            }
            catch (Exception e) when (e is HttpRequestException or JsonException)
            {
                answers.Add(new NodeAnswer(node.Id, null, e.Message, null, default));
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                answers.Add(new NodeAnswer(node.Id, null, $"nothing came within {_http.Timeout.TotalSeconds:0} s: it may be paused", null, default));
            }
        }

        return answers;
    }

    public void Dispose() => _http.Dispose();

    private async Task<ClockLook> LookAtClockAsync(string address, CancellationToken cancellation)
    {
        var best = new ClockLook(default, TimeSpan.MaxValue);
        for (var i = 0; i < ClockLooks; i++)
        {
            var (began, at) = (Stopwatch.GetTimestamp(), DateTimeOffset.UtcNow);
            var diagnosis = await AskAsync(address, 0, cancellation);
            var half = Stopwatch.GetElapsedTime(began) / 2;
            if (half < best.Error)
                best = new ClockLook(DateTimeOffset.UnixEpoch.AddMicroseconds(diagnosis.WallMicroseconds) - (at + half), half);
        }

        return best;
    }

    private async Task<NodeDiagnosis> AskAsync(string address, int samples, CancellationToken cancellation)
        => await _http.GetFromJsonAsync($"{address}/v1/doctor{(samples > 0 ? $"?sync={samples}" : "")}", DiagnosisJson.Default.NodeDiagnosis, cancellation)
            ?? throw new JsonException("the answer is empty");
}
