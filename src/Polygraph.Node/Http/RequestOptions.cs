using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>What a client asks for by headers, the same for JSON and for Hrana.</summary>
internal sealed record RequestOptions(AckPolicy? Ack, ReadOptions Read, string? Session, string? IdempotencyKey)
{
    /// <summary>The most characters of a session token: a position each for some hundred databases.</summary>
    public const int SessionLengthMax = 4096;

    private const string Prefix = "Polygraph-";

    private static readonly RequestOptions None = new(null, ReadOptions.Default, null, null);

    /// <summary>Reads the headers; one that is unknown, is sent twice or contradicts another is refused.</summary>
    public static RequestOptions From(IHeaderDictionary headers)
    {
        var options = None;
        foreach (var (name, values) in headers)
        {
            if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
                options = options.With(name, Single(name, values));
            else if (name.Equals("Idempotency-Key", StringComparison.OrdinalIgnoreCase))
                options = options.WithIdempotencyKey(name, Unquote(Single(name, values)));
        }

        return options.Checked();
    }

    private RequestOptions With(string name, string value)
        => name[Prefix.Length..].ToLowerInvariant() switch
        {
            "ack" => this with { Ack = ParseAck(name, value) },
            "read" => this with { Read = Read with { Level = ParseReadLevel(name, value) } },
            "max-staleness" => this with { Read = Read with { MaxStaleness = ParseDuration(name, value) } },
            "max-lag" => this with { Read = Read with { MaxLagEntries = ParseEntries(name, value) } },
            "session" => this with { Session = Printable(name, value, SessionLengthMax) },
            "idempotency-key" => WithIdempotencyKey(name, value),
            "read-path" => throw Refusals.NotYet("Polygraph-Read-Path: named read paths come with a later version; use Polygraph-Max-Staleness."),
            _ => throw Refusals.Header(
                name, "this header is not known. Known are Polygraph-Ack, -Read, -Max-Staleness, -Max-Lag, -Session and -Idempotency-Key."),
        };

    private RequestOptions WithIdempotencyKey(string name, string value)
    {
        var key = Printable(name, value, HttpLimits.IdempotencyKeyLengthMax);
        if (IdempotencyKey is not null && IdempotencyKey != key)
            throw Refusals.Header(name, "Idempotency-Key and Polygraph-Idempotency-Key say different things.");
        return this with { IdempotencyKey = key };
    }

    // A bound without a level asks for a bounded read; a bound that its level cannot use would be ignored, so it is refused.
    private RequestOptions Checked()
    {
        var bounded = Read.MaxStaleness is not null || Read.MaxLagEntries is not null;
        return Read.Level switch
        {
            null when bounded => this with { Read = Read with { Level = ReadLevel.Bounded } },
            ReadLevel.Bounded when !bounded => throw Refusals.Header(
                "Polygraph-Read", "'bounded' needs Polygraph-Max-Staleness or Polygraph-Max-Lag: how stale may it be?"),
            ReadLevel.Linearizable or ReadLevel.Any or ReadLevel.Local when bounded => throw Refusals.Header(
                "Polygraph-Read", $"'{ReadLevelText.Format(Read.Level.Value)}' has no bound; with a bound, use 'bounded' or 'session'."),
            _ => this,
        };
    }

    private static AckPolicy ParseAck(string name, string value)
        => AckPolicyText.TryParse(value, out var policy, out var error) ? policy : throw Refusals.Header(name, error);

    private static ReadLevel ParseReadLevel(string name, string value)
        => ReadLevelText.TryParse(value, out var level, out var error) ? level : throw Refusals.Header(name, error);

    private static TimeSpan ParseDuration(string name, string value)
        => DurationText.TryParse(value, out var duration, out var error) ? duration : throw Refusals.Header(name, error);

    private static ulong ParseEntries(string name, string value)
        => EntryCount.TryParse(value, out var entries, out var error) ? entries : throw Refusals.Header(name, error);

    private static string Single(string name, StringValues values)
        => values.Count == 1 && !string.IsNullOrWhiteSpace(values[0])
            ? values[0]!.Trim()
            : throw Refusals.Header(name, "send this header once, with a value.");

    private static string Printable(string name, string value, int lengthMax)
    {
        if (value.Length is 0 || value.Length > lengthMax || value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            throw Refusals.Header(name, $"use 1 to {lengthMax} printable ASCII characters.");
        return value;
    }

    // The standard header is a quoted string; many clients send it bare.
    private static string Unquote(string value) => value is ['"', .. var inner, '"'] ? inner : value;
}
