using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Polygraph.Cli.Tests.Client;

/// <summary>
/// An HTTP server on loopback that answers what a test has written down, one connection an answer: for the answers that a real node gives
/// only at unlucky moments.
/// </summary>
internal sealed class ScriptedNode : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Queue<Answer> _answers;

    public ScriptedNode(params Answer[] answers)
    {
        _answers = new Queue<Answer>(answers);
        _listener.Start();
        Url = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _ = AnswerAsync();
    }

    /// <summary>An answer; a status of 0 closes the connection without one.</summary>
    public sealed record Answer(int Status, string Body);

    public Uri Url { get; }

    /// <summary>Every request as it came in.</summary>
    public List<string> Requests { get; } = [];

    public void Dispose() => _listener.Dispose();

    private async Task AnswerAsync()
    {
        while (_answers.TryDequeue(out var answer))
        {
            using var connection = await _listener.AcceptTcpClientAsync();
            await using var stream = connection.GetStream();
            Requests.Add(await ReadRequestAsync(stream));
            if (answer.Status == 0)
                continue;
            await SendAsync(stream, answer);
        }
    }

    internal static async Task SendAsync(NetworkStream stream, Answer answer)
    {
        var type = answer.Status < 300 ? "application/json" : "application/problem+json";
        var body = Encoding.UTF8.GetBytes(answer.Body);
        var head = $"HTTP/1.1 {answer.Status} Scripted\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
        await stream.WriteAsync(body);
    }

    internal static async Task<string> ReadRequestAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!IsComplete(text.ToString()))
        {
            var count = await stream.ReadAsync(buffer);
            if (count == 0)
                break;
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString();
    }

    private static bool IsComplete(string request)
    {
        const string lengthHeader = "Content-Length: ";
        var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
            return false;
        var at = request.IndexOf(lengthHeader, StringComparison.OrdinalIgnoreCase);
        var length = at < 0
            ? 0
            : int.Parse(request.AsSpan(at + lengthHeader.Length, request.IndexOf('\r', at) - at - lengthHeader.Length), CultureInfo.InvariantCulture);
        return request.Length - end - 4 >= length;
    }
}
