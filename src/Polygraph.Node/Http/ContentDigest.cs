using Microsoft.AspNetCore.Http;
using Polygraph.Storage.Seeds;

namespace Polygraph.Node.Http;

/// <summary>
/// What a request says that the sum of its body is, in the standard header (RFC 9530): <c>Content-Digest: sha-256=:BASE64:</c>, or under
/// <see cref="SeedDigest.HttpName"/> by the hash of our own, or both, with a comma between them. Lower-case hexadecimal digits; null for what it does not say.
/// </summary>
internal readonly record struct ContentDigest(string? Sha256, string? Seed)
{
    public const string Header = "Content-Digest";

    private const string Sha256Name = "sha-256";
    private const int Sha256Bytes = 32;

    /// <summary>The header's value for a SHA-256.</summary>
    public static string Format(string sha256) => $"{Sha256Name}=:{Convert.ToBase64String(Convert.FromHexString(sha256))}:";

    /// <summary>What a request's header says.</summary>
    /// <exception cref="RequestRefusedException">It is not written as the standard wants, or names another algorithm.</exception>
    public static ContentDigest Of(HttpRequest request)
    {
        var digest = default(ContentDigest);
        foreach (var member in request.Headers[Header].ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (TryRead(member, Sha256Name, Sha256Bytes) is { } sha256)
                digest = digest with { Sha256 = sha256 };
            else if (TryRead(member, SeedDigest.HttpName, SeedDigest.Bytes) is { } seed)
                digest = digest with { Seed = seed };
            else
                throw Refusals.Header(Header, $"write it as {Sha256Name}=:BASE64: (RFC 9530), or {SeedDigest.HttpName}=:BASE64:; no other algorithm is known here.");
        }

        return digest;
    }

    private static string? TryRead(string member, string name, int length)
    {
        var bytes = new byte[length];
        return member.StartsWith(name + "=:", StringComparison.Ordinal) && member.EndsWith(':') && member.Length > name.Length + 2
            && Convert.TryFromBase64String(member[(name.Length + 2)..^1], bytes, out var read) && read == length
                ? Convert.ToHexStringLower(bytes)
                : null;
    }
}
