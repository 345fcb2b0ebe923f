using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Polygraph.Fuzz.Drawing;
using Polygraph.Fuzz.Formats.Wire;
using Polygraph.Node.Http;
using Polygraph.Node.Identity;
using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Fuzz.Formats.Http;

/// <summary>What a client asks for by headers, a line each.</summary>
internal sealed class RequestHeaders : Codec<RequestOptions>
{
    public override string Name => "http-headers";

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. new[]
        {
            "Polygraph-Ack: ", "Polygraph-Read: ", "Polygraph-Max-Staleness: ", "Polygraph-Max-Lag: ", "Polygraph-Session: ", "Polygraph-Idempotency-Key: ", "Idempotency-Key: ", "Polygraph-",
            "polygraph-read-path: x", "quorum", "all+applied", "semi-sync; k=2", "; timeout=5s", "bounded", "session", "any", "local", "linearizable", "500ms", "10min",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    protected override RequestOptions DrawValue(Dice dice)
    {
        var bounded = dice.Chance(40);
        var read = bounded
            ? new ReadOptions(dice.Pick(ReadLevel.Bounded, ReadLevel.Session), dice.Coin() ? Texts.Duration(dice) : null, dice.Number())
            : new ReadOptions(dice.Coin() ? dice.Pick(ReadLevel.Linearizable, ReadLevel.Session, ReadLevel.Any, ReadLevel.Local) : null, null, null);
        return new(dice.Coin() ? Texts.Ack(dice) : null, read, dice.Coin() ? Printable(dice) : null, dice.Coin() ? Printable(dice) : null);
    }

    protected override byte[] Encode(RequestOptions value)
    {
        var lines = new StringBuilder();
        if (value.Ack is { } ack)
            lines.Append("Polygraph-Ack: ").Append(AckPolicyText.Format(ack)).Append('\n');
        if (value.Read.Level is { } level)
            lines.Append("Polygraph-Read: ").Append(ReadLevelText.Format(level)).Append('\n');
        if (value.Read.MaxStaleness is { } staleness)
            lines.Append("Polygraph-Max-Staleness: ").Append(DurationText.Format(staleness)).Append('\n');
        if (value.Read.MaxLagEntries is { } lag)
            lines.Append("Polygraph-Max-Lag: ").Append(lag).Append('\n');
        if (value.Session is { } session)
            lines.Append("Polygraph-Session: ").Append(session).Append('\n');
        if (value.IdempotencyKey is { } key)
            lines.Append("Polygraph-Idempotency-Key: ").Append(key).Append('\n');
        return Encoding.UTF8.GetBytes(lines.ToString());
    }

    protected override RequestOptions Decode(byte[] bytes)
    {
        var found = new Dictionary<string, List<string>>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var (name, value) = colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..].Trim());
            if (!found.TryAdd(name, [value]))
                found[name].Add(value);
        }

        return RequestOptions.From(new HeaderDictionary(found.ToDictionary(header => header.Key, header => new StringValues([.. header.Value]))));
    }

    protected override bool IsRefusal(Exception exception) => exception is RequestRefusedException;

    protected override byte[] Damage(Dice dice, byte[] input, byte[] other) => TextMutations.Mutate(dice, input, other, Words);

    private static string Printable(Dice dice)
    {
        var text = new StringBuilder("k");
        for (var length = dice.Below(30); length > 0; length--)
            text.Append((char)dice.Between('!', '~'));
        return text.ToString();
    }
}

/// <summary>The query parameters of an endpoint that knows all kinds of them.</summary>
internal sealed class Queries : Format
{
    public override string Name => "http-query";

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[] { "db=", "timeout=", "lag=", "ack=", "&", "%2B", "main", "5s", "quorum" }.Select(Encoding.UTF8.GetBytes)];

    public override byte[] Draw(Dice dice)
    {
        var (duration, lag, ack) = (Texts.Duration(dice), dice.Number(), Texts.Ack(dice));
        var text = $"db=main&timeout={DurationText.Format(duration)}&lag={lag}&ack={Uri.EscapeDataString(AckPolicyText.Format(ack))}";
        var query = Parse(text);
        Same("The query", $"main {duration} {lag} {ack}", $"{query.Database} {query.Duration("timeout")} {query.Entries("lag")} {query.Ack("ack")}");
        return Encoding.UTF8.GetBytes(text);
    }

    public override bool Accepts(byte[] input)
    {
        try
        {
            var query = Parse(Encoding.UTF8.GetString(input));
            _ = (query.Database, query.Duration("timeout"), query.Entries("lag"), query.Ack("ack"));
            return true;
        }
        catch (RequestRefusedException)
        {
            return false;
        }
    }

    public override byte[] Mutate(Dice dice, byte[] input, byte[] other) => TextMutations.Mutate(dice, input, other, Words);

    private static Query Parse(string text)
    {
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString("?" + text);
        return new Query(context, "db", "timeout", "lag", "ack");
    }
}

/// <summary>What a session has seen, as its client carries it.</summary>
internal sealed class SessionTokens : Codec<string>
{
    private static readonly ClusterId Cluster = new(new UInt128(1, 2));

    public override string Name => "session-token";

    protected override string DrawValue(Dice dice)
    {
        var token = SessionToken.Empty(Cluster);
        foreach (var (group, position) in dice.Many(() => (new GroupId((uint)dice.Number()), SqlDrawing.At(dice)), 4, SessionToken.DatabasesMax + 10))
            token = token.With(group, position);
        return token.ToString();
    }

    protected override byte[] Encode(string value) => Encoding.UTF8.GetBytes(value);

    protected override string Decode(byte[] bytes)
        => SessionToken.TryParse(Encoding.UTF8.GetString(bytes), Cluster, out var token, out var error) ? token.ToString() : throw new NotReadException(error);

    protected override bool IsRefusal(Exception exception) => exception is NotReadException;

    // What is behind the base64 is damaged more often than the base64.
    protected override byte[] Damage(Dice dice, byte[] input, byte[] other)
    {
        if (dice.Chance(30) || !System.Buffers.Text.Base64Url.IsValid(input) || !System.Buffers.Text.Base64Url.IsValid(other))
            return TextMutations.Mutate(dice, input, other, Words);
        var bytes = System.Buffers.Text.Base64Url.DecodeFromUtf8(input);
        return System.Buffers.Text.Base64Url.EncodeToUtf8(ByteMutations.Mutate(dice, bytes, System.Buffers.Text.Base64Url.DecodeFromUtf8(other), Words));
    }
}

/// <summary>The ticket for the next pipeline of a stream. Nothing but what this process signed is taken.</summary>
internal sealed class Batons : Format
{
    private static readonly HranaBaton Baton = new();
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, byte> Signed = new();

    public override string Name => "hrana-baton";

    public override byte[] Draw(Dice dice)
    {
        var (stream, sequence) = ((ulong)dice.Below(16), (ulong)dice.Below(16));
        var text = Baton.Write(stream, sequence);
        Signed.TryAdd(text, 0);
        Same("Read", "True", Baton.TryRead(text, out var streamRead, out var sequenceRead).ToString());
        Same("The baton", $"{stream} {sequence}", $"{streamRead} {sequenceRead}");
        return Encoding.UTF8.GetBytes(text);
    }

    public override bool Accepts(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (!Baton.TryRead(text, out var stream, out var sequence))
            return false;
        Same("A baton that was taken", "one that was signed", Signed.ContainsKey(Baton.Write(stream, sequence)) ? "one that was signed" : text);
        return true;
    }

    public override byte[] Mutate(Dice dice, byte[] input, byte[] other) => TextMutations.Mutate(dice, input, other, Words);
}

/// <summary>Short texts that headers, connection strings and the command line have in common.</summary>
internal sealed class Texts : Codec<(AckPolicy Ack, string Left)>
{
    public override string Name => "ack-and-durations";

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[] { "+applied", "; k=", "; timeout=", "semi-sync", "us", "ms", "min", "h", "s", "majority", "sync" }.Select(Encoding.UTF8.GetBytes)];

    public static TimeSpan Duration(Dice dice) => TimeSpan.FromMicroseconds((long)(dice.Number() >> 12));

    public static AckPolicy Ack(Dice dice)
    {
        var level = dice.Pick(AckLevel.Async, AckLevel.SemiSync, AckLevel.Quorum, AckLevel.All);
        var timeout = TimeSpan.FromMilliseconds(1 + dice.Below((int)AckPolicyText.TimeoutMax.TotalMilliseconds));
        return AckPolicy.Default with { Level = level, Copies = level == AckLevel.SemiSync ? dice.Between(1, AckPolicyText.CopiesMax) : 1, Applied = dice.Coin(), Timeout = timeout };
    }

    protected override (AckPolicy Ack, string Left) DrawValue(Dice dice) => (Ack(dice), "");

    protected override byte[] Encode((AckPolicy Ack, string Left) value) => Encoding.UTF8.GetBytes(AckPolicyText.Format(value.Ack));

    /// <summary>The other readers of short texts get the same ones: none of them may throw.</summary>
    protected override (AckPolicy Ack, string Left) Decode(byte[] bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        ReadLevelText.TryParse(text, out _, out _);
        EntryCount.TryParse(text, out _, out _);
        DatabaseName.IsValid(text);
        if (NodeAddress.TryParse(text, out var address))
            _ = address.IsLoopback;
        if (DurationText.TryParse(text, out var duration, out _) && DurationText.TryParse(DurationText.Format(duration), out var again, out _) && again != duration)
            throw new BrokenPromiseException($"{text} is {duration}, and comes back as {again}.");
        return AckPolicyText.TryParse(text, out var policy, out var error) ? (policy, "") : throw new NotReadException(error);
    }

    protected override bool IsRefusal(Exception exception) => exception is NotReadException;

    protected override byte[] Damage(Dice dice, byte[] input, byte[] other) => TextMutations.Mutate(dice, input, other, Words);

    protected override string ShapeOf((AckPolicy Ack, string Left) value) => Shape.Of(value.Ack);
}

/// <summary>A reader that says false said so.</summary>
internal sealed class NotReadException(string why) : Exception(why);
