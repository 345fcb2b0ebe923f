using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Polygraph.Cli.Client;

/// <summary>
/// Speaks the JSON API with whichever node answers. A node that cannot be connected to is passed over. Every SQL request carries an idempotency
/// key, so one whose answer was lost is asked again elsewhere and cannot happen twice; what the cluster itself calls unknown is not, because
/// it has waited already.
/// </summary>
public sealed partial class ClusterClient : IDisposable
{
    /// <summary>How long a failover may take before a write that nobody accepted is given up.</summary>
    public static readonly TimeSpan DefaultFailoverBudget = TimeSpan.FromSeconds(10);

    /// <summary>Between two tries while no node has a leader; a failover takes 300 ms at the median.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Characters of a request beyond which the node is asked first whether it takes so much.</summary>
    private const int LargeBody = 1 << 20;

    /// <summary>A node that makes a whole file has little time for questions: it may think so many times as long.</summary>
    private const int FileSilence = 5;

    /// <summary>What a question about the cluster may take at one node: it answers from its own memory, unless it is paused.</summary>
    private static readonly TimeSpan QuestionTimeout = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a node may be silent before it is asked whether it is there. A statement may take minutes; a process that is paused, or a machine that is
    /// gone, takes connections and never answers.
    /// </summary>
    private static readonly TimeSpan DefaultSilence = TimeSpan.FromSeconds(2);

    private readonly HttpClient _http;
    private readonly IReadOnlyList<Uri> _endpoints;
    private readonly TimeSpan _failoverBudget;
    private readonly TimeSpan _silence;
    private int _preferred;

    /// <param name="endpoints">The nodes, in the order in which they are tried.</param>
    /// <param name="failoverBudget">How long to send again what nobody accepts.</param>
    /// <param name="silence">How long a node may leave a request unanswered before it is asked whether it is there, and how long it may think about that.</param>
    public ClusterClient(IReadOnlyList<Uri> endpoints, TimeSpan? failoverBudget = null, TimeSpan? silence = null)
    {
        _silence = silence ?? DefaultSilence;
        _endpoints = endpoints;
        _failoverBudget = failoverBudget ?? DefaultFailoverBudget;
        _http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), UseProxy = false })
        {
            // Every call carries its own limit: an ack level may be waited for up to ten minutes.
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>SQL requests that were sent again, because nobody accepted them or their answer was lost.</summary>
    public int SentAgain { get; private set; }

    /// <summary>The node that answered last, or that is asked first.</summary>
    public Uri Current => _endpoints[_preferred];

    /// <summary>
    /// Runs one transaction, at most once. A cluster that is electing a leader is waited for, and an answer that was lost is asked for again,
    /// for as long as a failover may take (<see cref="DefaultFailoverBudget"/>).
    /// </summary>
    /// <exception cref="ClusterUnreachableException">No node could be connected to.</exception>
    /// <exception cref="AnswerLostException">It was sent, the connection was lost before the answer, and nobody has answered since.</exception>
    public async Task<SqlReply> ExecuteAsync(SqlCall call, CancellationToken cancellation)
    {
        call = call.WithKey();
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                var reply = await ExecuteOnceAsync(call, cancellation);
                var nobodyAccepts = reply.Problem is { Status: (int)HttpStatusCode.ServiceUnavailable, IsNotApplied: true };
                if (!nobodyAccepts || TimeProvider.System.GetElapsedTime(started) > _failoverBudget)
                    return reply;
                PassOver();
            }
            catch (AnswerLostException) when (TimeProvider.System.GetElapsedTime(started) <= _failoverBudget)
            {
                // Whoever is asked next knows the key if the write was committed, and answers with the first receipt.
            }
            catch (AnswerLostException lost)
            {
                throw new AnswerLostException(lost.Endpoint, call.Key);
            }

            SentAgain++;
            await Task.Delay(RetryPause, cancellation);
        }
    }

    /// <summary>The cluster as the first node that answers knows it.</summary>
    /// <exception cref="ClusterUnreachableException">No node answered.</exception>
    public async Task<ClusterView> GetClusterAsync(CancellationToken cancellation)
        => Read(await AskAsync("/v1/cluster", cancellation), ClusterJson.Default.ClusterView);

    /// <summary><c>/v1/cluster</c> as the node wrote it.</summary>
    public Task<string> GetClusterJsonAsync(CancellationToken cancellation) => AskAsync("/v1/cluster", cancellation);

    /// <summary>Has every replica read all its rows; a big database takes its time.</summary>
    /// <exception cref="RequestRefusedException">There is no such database.</exception>
    public async Task<(VerificationView View, string Json)> VerifyAsync(string database, CancellationToken cancellation)
    {
        var json = await AskEachAsync(() => ChangeAsync(HttpMethod.Post, $"/v1/db/{Uri.EscapeDataString(database)}/verify", "{}", cancellation));
        return (Read(json, ClusterJson.Default.VerificationView), json);
    }

    /// <summary>Creates a database and waits until that is committed.</summary>
    /// <exception cref="RequestRefusedException">The name is taken or not allowed.</exception>
    public Task<string> CreateDatabaseAsync(string name, CreateDatabaseBody body, CancellationToken cancellation)
        => ChangeAsync(
            HttpMethod.Put,
            $"/v1/db/{Uri.EscapeDataString(name)}",
            JsonSerializer.Serialize(body, ClusterJson.Default.CreateDatabaseBody),
            cancellation);

    /// <summary>Drops a database on every node.</summary>
    /// <exception cref="RequestRefusedException">There is none of that name.</exception>
    public Task<string> DropDatabaseAsync(string name, CancellationToken cancellation)
        => ChangeAsync(HttpMethod.Delete, $"/v1/db/{Uri.EscapeDataString(name)}", null, cancellation);

    public void Dispose() => _http.Dispose();

    private async Task<SqlReply> ExecuteOnceAsync(SqlCall call, CancellationToken cancellation)
    {
        var body = JsonSerializer.Serialize(
            new SqlBody([.. call.Statements.Select(sql => new StatementBody(sql))]), ClusterJson.Default.SqlBody);
        using var response = await SendAsync(
            () =>
            {
                var request = JsonRequest(HttpMethod.Post, $"/v1/db/{Uri.EscapeDataString(call.Database)}/sql", body);
                SetHeader(request, "Polygraph-Ack", call.Ack);
                SetHeader(request, "Polygraph-Read", call.Read);
                SetHeader(request, "Polygraph-Max-Staleness", call.MaxStaleness);
                SetHeader(request, "Polygraph-Max-Lag", call.MaxLag);
                SetHeader(request, "Polygraph-Session", call.Session);
                SetHeader(request, "Polygraph-Idempotency-Key", call.Key);

                // What is too large is refused before it is sent: a node that refuses it while it comes in closes the connection, and its answer may be lost with that.
                request.Headers.ExpectContinue = body.Length > LargeBody;
                return request;
            },
            cancellation);
        var json = await response.Content.ReadAsStringAsync(cancellation);
        return new SqlReply(
            response.IsSuccessStatusCode ? Read(json, ClusterJson.Default.SqlAnswer) : null,
            response.IsSuccessStatusCode ? null : ReadProblem(response, json),
            json,
            Header(response, "Polygraph-Served-By"),
            Header(response, "Polygraph-Session"));
    }

    /// <summary>Asks what changes nothing: the next node, when one fell silent or its copy serves nothing.</summary>
    private async Task<T> AskEachAsync<T>(Func<Task<T>> ask)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ask();
            }
            catch (AnswerLostException) when (attempt < _endpoints.Count)
            {
                // SendAsync has passed it over.
            }
            catch (RequestRefusedException e) when (attempt < _endpoints.Count && e.Problem.Code == "REPLICA_UNAVAILABLE")
            {
                PassOver();
            }
        }
    }

    // A question changes nothing, so a node that does not answer in time is passed over as well.
    private async Task<string> AskAsync(string path, CancellationToken cancellation)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(QuestionTimeout);
            try
            {
                using var response = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, path), limit.Token);
                var json = await response.Content.ReadAsStringAsync(limit.Token);
                return response.IsSuccessStatusCode ? json : throw new RequestRefusedException(ReadProblem(response, json));
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                PassOver();
                if (attempt + 1 >= _endpoints.Count)
                    throw new ClusterUnreachableException(_endpoints, "no answer within two seconds");
            }
            catch (AnswerLostException) when (attempt + 1 < _endpoints.Count)
            {
                // SendAsync has passed it over.
            }
        }
    }

    private async Task<string> ChangeAsync(HttpMethod method, string path, string? body, CancellationToken cancellation)
    {
        using var response = await SendAsync(() => JsonRequest(method, path, body), cancellation);
        var json = await response.Content.ReadAsStringAsync(cancellation);
        return response.IsSuccessStatusCode ? json : throw new RequestRefusedException(ReadProblem(response, json));
    }

    /// <param name="create">Makes the request, anew for each node.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="completion">When it is answered.</param>
    /// <param name="silence">How long a node may be silent before it is asked whether it is there; null: for ever.</param>
    private async Task<HttpResponseMessage> SendAsync(
        Func<HttpRequestMessage> create, CancellationToken cancellation, HttpCompletionOption completion, TimeSpan? silence)
    {
        string? lastProblem = null;
        for (var attempt = 0; attempt < _endpoints.Count; attempt++)
        {
            using var request = create();
            request.RequestUri = new Uri(Current, request.RequestUri!);
            try
            {
                return silence is { } limit
                    ? await SendWatchedAsync(request, completion, limit, cancellation)
                    : await _http.SendAsync(request, completion, cancellation);
            }
            catch (Exception failure)
                when (failure is SocketException or HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError })
            {
                // Bare: the connection was reset before anything was sent over it.
                lastProblem = failure.InnerException?.Message ?? failure.Message;
                PassOver();
            }
            catch (OperationCanceledException timeout) when (timeout.InnerException is TimeoutException && !cancellation.IsCancellationRequested)
            {
                // The only limit that the handler itself knows is the one for connecting: nothing was sent.
                lastProblem = "no connection within two seconds";
                PassOver();
            }
            catch (HttpRequestException)
            {
                PassOver();
                throw new AnswerLostException(request.RequestUri);
            }
        }

        throw new ClusterUnreachableException(_endpoints, lastProblem ?? "no answer");
    }

    /// <summary>Sends, and waits for as long as it takes while the node answers something else.</summary>
    /// <exception cref="AnswerLostException">It has fallen silent. What was sent may be carried out.</exception>
    private async Task<HttpResponseMessage> SendWatchedAsync(
        HttpRequestMessage request, HttpCompletionOption completion, TimeSpan silence, CancellationToken cancellation)
    {
        using var givingUp = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var sending = _http.SendAsync(request, completion, givingUp.Token);
        while (await Task.WhenAny(sending, Task.Delay(silence, cancellation)) != sending && !cancellation.IsCancellationRequested)
        {
            if (await IsThereAsync(request.RequestUri!, silence, cancellation) || sending.IsCompleted)
                continue;
            await givingUp.CancelAsync();
            await sending.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            cancellation.ThrowIfCancellationRequested();
            PassOver();
            throw new AnswerLostException(request.RequestUri!);
        }

        return await sending;
    }

    private async Task<bool> IsThereAsync(Uri node, TimeSpan patience, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience);
        try
        {
            using var answer = await _http.GetAsync(new Uri(node, "/healthz"), limit.Token);
            return true;
        }
        catch (Exception failure) when (failure is SocketException or HttpRequestException or OperationCanceledException)
        {
            // Whatever it was, there is no answer.
            return false;
        }
    }

    private Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> create, CancellationToken cancellation)
        => SendAsync(create, cancellation, HttpCompletionOption.ResponseContentRead, _silence);

    private void PassOver() => _preferred = (_preferred + 1) % _endpoints.Count;

    private static HttpRequestMessage JsonRequest(HttpMethod method, string path, string? body)
    {
        var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null)
            request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        return request;
    }

    private static void SetHeader(HttpRequestMessage request, string name, string? value)
    {
        if (value is not null)
            request.Headers.TryAddWithoutValidation(name, value);
    }

    private static string? Header(HttpResponseMessage response, string name)
        => response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    private T Read<T>(string json, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type)!;
        }
        catch (JsonException failure)
        {
            throw new CommandFailedException(
                $"{Current} answered something that is not Polygraph's: {failure.Message}", "Is it a Polygraph node of this version?");
        }
    }

    private ProblemView ReadProblem(HttpResponseMessage response, string json)
        => response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? Read(json, ClusterJson.Default.ProblemView) with { Status = (int)response.StatusCode }
            : new ProblemView(response.ReasonPhrase, (int)response.StatusCode, null, $"{Current} answered {(int)response.StatusCode}.", null, null, null);
}
