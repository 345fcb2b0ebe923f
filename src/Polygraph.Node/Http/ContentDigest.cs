using Microsoft.AspNetCore.Http;

namespace Polygraph.Node.Http;

/// <summary>The standard header by which a body says what its sum is (RFC 9530), for SHA-256: <c>Content-Digest: sha-256=:BASE64:</c>.</summary>
internal static class ContentDigest
{
    public const string Header = "Content-Digest";

    private const string Prefix = "sha-256=:";
    private const int Sha256Bytes = 32;

    public static string Format(string sha256) => $"{Prefix}{Convert.ToBase64String(Convert.FromHexString(sha256))}:";

    /// <summary>The SHA-256 that a request's header names, in hexadecimal; null if it has none.</summary>
    public static string? Sha256Of(HttpRequest request)
    {
        if (request.Headers[Header] is not { Count: > 0 } values)
            return null;
        var text = values.ToString();
        var bytes = new byte[Sha256Bytes];
        return text.StartsWith(Prefix, StringComparison.Ordinal) && text.EndsWith(':')
            && Convert.TryFromBase64String(text[Prefix.Length..^1], bytes, out var length) && length == Sha256Bytes
                ? Convert.ToHexStringLower(bytes)
                : throw Refusals.Header(Header, $"write it as {Prefix}BASE64: (RFC 9530); no other algorithm is known here.");
    }
}
