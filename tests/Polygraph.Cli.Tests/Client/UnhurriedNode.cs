using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Polygraph.Cli.Tests.Client;

/// <summary>
/// An HTTP server on loopback that takes every connection and answers a request only once it was asked so often whether it is there; if it is not, it never
/// answers anything, as a process that is paused.
/// </summary>
internal sealed class UnhurriedNode : IDisposable
{
    /// <summary>How often it lets itself be asked before it answers.</summary>
    public const int QuestionsFirst = 2;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly bool _isThere;
    private readonly string _answer;
    private int _questions;

    public UnhurriedNode(bool isThere, string answer)
    {
        (_isThere, _answer) = (isThere, answer);
        _listener.Start();
        Url = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _ = AcceptAsync();
    }

    public Uri Url { get; }

    /// <summary>Every request as it came in, in the order in which they came.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Completes with the first of them.</summary>
    public Task<string> FirstRequest => _first.Task;

    public void Dispose()
    {
        _stop.Cancel();
        _stopped.TrySetResult();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
            _ = AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
    }

    private async Task AnswerAsync(TcpClient connection)
    {
        using (connection)
        {
            await using var stream = connection.GetStream();
            var request = await ScriptedNode.ReadRequestAsync(stream);
            Requests.Enqueue(request);
            _first.TrySetResult(request);
            if (!_isThere)
                await _stopped.Task;
            if (!request.StartsWith("GET /healthz", StringComparison.Ordinal))
                await _asked.Task;
            else if (Interlocked.Increment(ref _questions) == QuestionsFirst)
                _asked.TrySetResult();
            await ScriptedNode.SendAsync(stream, new ScriptedNode.Answer(200, _answer));
        }
    }
}
