using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Polygraph.Node.Control;
using Polygraph.Protocol;
using Polygraph.Storage.Seeds;

namespace Polygraph.Node.Importing;

/// <summary>
/// One other node on the way of an import: it is sent the file while it comes in. What goes wrong with it is remembered and never thrown,
/// because the import goes on with the others.
/// </summary>
internal sealed class SeedRelay : IDisposable
{
    /// <summary>A node that takes no byte for so long is left behind: it may be paused, and would hold up all the others.</summary>
    private static readonly TimeSpan Stalled = TimeSpan.FromSeconds(20);

    /// <summary>To sync what is left and to add our tables.</summary>
    private static readonly TimeSpan PreparationMax = TimeSpan.FromMinutes(2);

    private readonly HttpClient _http;
    private readonly Uri _uri;
    private readonly FormedCluster _cluster;
    private readonly NodeId _self;
    private readonly TimeProvider _time;
    private readonly Content _content;
    private readonly Task<HttpResponseMessage> _sending;
    private readonly CancellationTokenSource _stopping;

    /// <summary>Begins to send.</summary>
    public SeedRelay(HttpClient http, NodeId node, string address, SeedSender sender, Guid seed, long bytes, CancellationToken cancellation)
    {
        (_http, Node, _cluster, _self, _time) = (http, node, sender.Cluster, sender.Self, sender.Time);
        _uri = new Uri($"{address}/internal/imports/{seed:N}");
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _content = new Content(bytes);
        var request = Request(HttpMethod.Post, _content);
        request.Headers.ExpectContinue = true; // A node that has no room says so before a byte is sent.
        _sending = http.SendAsync(request, _stopping.Token);
    }

    public NodeId Node { get; }

    /// <summary>Why it will not hold the file; null if nothing went wrong yet.</summary>
    public string? Failure { get; private set; }

    /// <summary>Whether that is because its SQLite cannot use the file: then it never will hold the database, and nobody should.</summary>
    public bool IsRefusal { get; private set; }

    public Task WriteAsync(ReadOnlyMemory<byte> chunk)
        => TryAsync(Stalled, async () =>
        {
            if (await Task.WhenAny(_sending, _content.Opened.Task).ConfigureAwait(false) == _sending)
                await CheckAsync(_sending).ConfigureAwait(false);
            await (await _content.Opened.Task.ConfigureAwait(false)).WriteAsync(chunk, _stopping.Token).ConfigureAwait(false);
        });

    /// <summary>Everything was written: waits until the node has it all, durably.</summary>
    public Task FinishAsync()
        => TryAsync(PreparationMax, () =>
        {
            _content.Written.TrySetResult();
            return CheckAsync(_sending);
        });

    /// <summary>Has the node make a replica's file of it, and promise to keep that.</summary>
    public Task PrepareAsync(Seed seed)
        => TryAsync(PreparationMax, async () =>
        {
            var content = new ByteArrayContent(seed.ToJson());
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            try
            {
                await CheckAsync(_http.SendAsync(Request(HttpMethod.Put, content), _stopping.Token)).ConfigureAwait(false);
            }
            catch (AnsweredProblemException e) when (e.Code == ImportProblems.RefusedCode)
            {
                IsRefusal = true;
                throw;
            }
        });

    /// <summary>Has the node forget it. Where that fails the node finds out by itself that the import was abandoned.</summary>
    public Task ForgetAsync() => TryAsync(Stalled, () => CheckAsync(_http.SendAsync(Request(HttpMethod.Delete, null), CancellationToken.None)));

    public void Dispose()
    {
        _stopping.Cancel();
        _content.Written.TrySetCanceled();
        _ = _sending.ContinueWith(static sent => sent.Exception, TaskScheduler.Default); // Told already, by whoever waited.
        _stopping.Dispose();
    }

    private async Task TryAsync(TimeSpan limit, Func<Task> action)
    {
        if (Failure is not null)
            return;
        try
        {
            await action().WaitAsync(limit, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Failure = $"did nothing for {limit.TotalSeconds} s";
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException or OperationCanceledException or InvalidOperationException)
        {
            Failure = e.Message;
        }

        if (Failure is not null)
            await _stopping.CancelAsync().ConfigureAwait(false);
    }

    private static async Task CheckAsync(Task<HttpResponseMessage> sending)
    {
        using var response = await sending.ConfigureAwait(false);
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.NoContent))
            throw ProblemOf(await response.Content.ReadAsStringAsync().ConfigureAwait(false));
    }

    // A problem's own words, if it is one.
    private static AnsweredProblemException ProblemOf(string answer)
    {
        try
        {
            using var problem = JsonDocument.Parse(answer);
            return new AnsweredProblemException(problem.RootElement.GetProperty("code").GetString(), problem.RootElement.GetProperty("detail").GetString() ?? answer);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new AnsweredProblemException(null, answer);
        }
    }

    /// <summary>The node answered, and did not do it.</summary>
    private sealed class AnsweredProblemException(string? code, string detail) : HttpRequestException(detail)
    {
        public string? Code { get; } = code;
    }

    private HttpRequestMessage Request(HttpMethod method, HttpContent? content)
    {
        var request = new HttpRequestMessage(method, _uri) { Content = content };
        MemberHeaders.Write(request, _cluster, _self);
        return request;
    }

    /// <summary>A body that is written from outside, piece by piece.</summary>
    private sealed class Content : HttpContent
    {
        public Content(long bytes)
        {
            Headers.ContentType = new MediaTypeHeaderValue(ImportEndpoint.ContentType);
            Headers.ContentLength = bytes;
        }

        public TaskCompletionSource<Stream> Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            Opened.TrySetResult(stream);
            return Written.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = Headers.ContentLength!.Value;
            return true;
        }
    }
}

/// <summary>Who sends.</summary>
/// <param name="Self">This node.</param>
/// <param name="Cluster">Its cluster.</param>
/// <param name="Time">What measures its patience.</param>
internal readonly record struct SeedSender(NodeId Self, FormedCluster Cluster, TimeProvider Time);
