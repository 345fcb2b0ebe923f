using System.Globalization;
using System.Text;
using Polygraph.Fuzz.Drawing;
using Polygraph.Fuzz.Formats;

namespace Polygraph.Fuzz.Live;

/// <summary>Requests as no client would send them: damaged bodies, headers, queries, request lines; cut, in pieces, several at once.</summary>
internal static class HttpAttack
{
    private static readonly string[] Gets = ["/v1/cluster", "/v1/db/main", "/readyz", "/livez", "/metrics", "/v2", "/v3", "/nothing"];

    public static byte[] Draw(Dice dice)
    {
        if (dice.Below(6) != 0)
            return Request(dice, closes: true);

        // Several at once; the answers come in order.
        var requests = new List<byte>();
        for (var count = dice.Between(1, 8); count > 0; count--)
            requests.AddRange(Request(dice, closes: false));
        requests.AddRange(Request(dice, closes: true));
        return [.. requests];
    }

    /// <summary>What is wrong with an answer; null if nothing is.</summary>
    public static string? Complaint(byte[] answer)
    {
        var text = Encoding.Latin1.GetString(answer);
        return text.StartsWith("HTTP/1.1 500", StringComparison.Ordinal) || text.Contains("\r\nHTTP/1.1 500", StringComparison.Ordinal)
            ? "The node found a fault of its own: " + text[..Math.Min(400, text.Length)]
            : null;
    }

    private static byte[] Request(Dice dice, bool closes)
    {
        var request = dice.Below(4) switch
        {
            0 => Post(dice, "/v1/db/main/sql", "json-api", closes),
            1 => Post(dice, dice.Pick("/v2/pipeline", "/v3/pipeline"), "hrana-pipeline", closes),
            2 => Post(dice, "/v3/cursor", "hrana-cursor", closes),
            _ => Get(dice, closes),
        };
        return dice.Below(4) == 0 ? ByteMutations.Mutate(dice, request, request, []) : request;
    }

    private static byte[] Get(Dice dice, bool closes)
    {
        var query = dice.Coin() ? "?" + Uri.EscapeDataString(Encoding.UTF8.GetString(Damaged(dice, "http-query"))).Replace("%3D", "=", StringComparison.Ordinal).Replace("%26", "&", StringComparison.Ordinal) : "";
        return Encoding.Latin1.GetBytes($"GET {dice.PickOf(Gets)}{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{Headers(dice, closes)}\r\n");
    }

    private static byte[] Post(Dice dice, string path, string format, bool closes)
    {
        var body = Damaged(dice, format);
        var framing = dice.Below(5) == 0
            ? "Transfer-Encoding: chunked\r\n"
            : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {(dice.Below(20) == 0 ? (long)ByteMutations.LimitNear(dice, body.Length) : body.Length)}\r\n");
        var type = dice.Below(20) == 0 ? dice.Pick("", "text/plain", "application/json; charset=utf-16", "application/json;") : "application/json";
        var head = $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {type}\r\n{Headers(dice, closes)}{framing}\r\n";
        return framing.StartsWith('T')
            ? [.. Encoding.Latin1.GetBytes(head), .. Encoding.ASCII.GetBytes(body.Length.ToString("x", CultureInfo.InvariantCulture) + "\r\n"), .. body, .. "\r\n0\r\n\r\n"u8]
            : [.. Encoding.Latin1.GetBytes(head), .. body];
    }

    private static string Headers(Dice dice, bool closes)
    {
        var headers = closes ? "Connection: close\r\n" : "";
        if (!dice.Coin())
            return headers;
        var lines = Encoding.Latin1.GetString(Damaged(dice, "http-headers")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return headers + string.Concat(lines.Select(line => line.Replace('\r', ' ') + "\r\n"));
    }

    private static byte[] Damaged(Dice dice, string name)
    {
        var format = AllFormats.Find(name)!;
        var valid = format.Draw(dice);
        return dice.Below(4) == 0 ? valid : format.Mutate(dice, valid, valid);
    }
}
