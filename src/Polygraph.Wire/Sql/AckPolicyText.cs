using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Polygraph.Protocol;

namespace Polygraph.Wire.Sql;

/// <summary>
/// Ack levels as text, the same in HTTP headers, connection strings and the command line: a level, an optional <c>+applied</c>, then
/// options: <c>quorum</c>, <c>all+applied</c>, <c>semi-sync; k=2; timeout=500ms</c>. <c>majority</c> is quorum, <c>sync</c> is all.
/// </summary>
public static class AckPolicyText
{
    /// <summary>The most followers that semi-sync can wait for: a group has at most this many voters beside its leader.</summary>
    public const int CopiesMax = 8;

    /// <summary>The longest wait that a client may ask for.</summary>
    public static readonly TimeSpan TimeoutMax = TimeSpan.FromMinutes(10);

    private const string Applied = "+applied";
    private const string Levels = "async, semi-sync, quorum (majority), all (sync), each with +applied if it must be visible as well";

    /// <summary>Parses an ack policy, or says what is wrong with it. What is not said is as in <see cref="AckPolicy.Default"/>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out AckPolicy policy, [NotNullWhen(false)] out string? error)
    {
        policy = AckPolicy.Default;
        var rest = text;
        var name = NextPart(ref rest);
        var applied = name.EndsWith(Applied, StringComparison.Ordinal);
        if (!TryParseLevel(applied ? name[..^Applied.Length] : name, out var level))
        {
            error = $"'{name}' is not an ack level: use {Levels}.";
            return false;
        }

        policy = policy with { Level = level, Applied = applied };
        bool copiesSeen = false, timeoutSeen = false;
        while (!rest.IsEmpty)
        {
            var option = NextPart(ref rest);
            if (option.StartsWith("k=", StringComparison.Ordinal) && !copiesSeen)
            {
                copiesSeen = true;
                if (!TryReadCopies(option[2..], ref policy, out error))
                    return false;
            }
            else if (option.StartsWith("timeout=", StringComparison.Ordinal) && !timeoutSeen)
            {
                timeoutSeen = true;
                if (!TryReadTimeout(option[8..], ref policy, out error))
                    return false;
            }
            else
            {
                error = $"'{option}' is not an option of an ack level, or stands there twice: use k=2 (semi-sync) and timeout=500ms.";
                return false;
            }
        }

        error = null;
        return true;
    }

    /// <summary>The policy as <see cref="TryParse"/> reads it; options that are as in <see cref="AckPolicy.Default"/> are left out.</summary>
    public static string Format(AckPolicy policy)
    {
        var text = new StringBuilder(LevelName(policy.Level));
        if (policy.Applied)
            text.Append(Applied);
        if (policy.Level == AckLevel.SemiSync && policy.Copies != AckPolicy.Default.Copies)
            text.Append(CultureInfo.InvariantCulture, $"; k={policy.Copies}");
        if (policy.Timeout != AckPolicy.Default.Timeout)
            text.Append("; timeout=").Append(DurationText.Format(policy.Timeout));
        return text.ToString();
    }

    /// <summary>The level's own name, as receipts show it.</summary>
    public static string LevelName(AckLevel level)
        => level switch
        {
            AckLevel.None => "none",
            AckLevel.Async => "async",
            AckLevel.SemiSync => "semi-sync",
            AckLevel.Quorum => "quorum",
            AckLevel.All => "all",
            _ => throw new ArgumentOutOfRangeException(nameof(level), level, "Unknown ack level."),
        };

    private static ReadOnlySpan<char> NextPart(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf(';');
        var part = (end < 0 ? rest : rest[..end]).Trim();
        rest = end < 0 ? default : rest[(end + 1)..];
        return part;
    }

    // "none" is what a receipt may have to admit, never what a client may ask for.
    private static bool TryParseLevel(ReadOnlySpan<char> name, out AckLevel level)
    {
        level = name switch
        {
            "async" => AckLevel.Async,
            "semi-sync" => AckLevel.SemiSync,
            "quorum" or "majority" => AckLevel.Quorum,
            "all" or "sync" => AckLevel.All,
            _ => AckLevel.None,
        };
        return level != AckLevel.None;
    }

    private static bool TryReadCopies(ReadOnlySpan<char> text, ref AckPolicy policy, [NotNullWhen(false)] out string? error)
    {
        if (policy.Level != AckLevel.SemiSync)
        {
            error = $"k belongs to semi-sync; {LevelName(policy.Level)} states its own number of copies.";
            return false;
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var copies) || copies is < 1 or > CopiesMax)
        {
            error = $"k={text} is not a number of followers: use 1 to {CopiesMax}.";
            return false;
        }

        policy = policy with { Copies = copies };
        error = null;
        return true;
    }

    private static bool TryReadTimeout(ReadOnlySpan<char> text, ref AckPolicy policy, [NotNullWhen(false)] out string? error)
    {
        if (!DurationText.TryParse(text, out var timeout, out error))
            return false;
        if (timeout < TimeSpan.FromMilliseconds(1) || timeout > TimeoutMax)
        {
            error = $"timeout={text} is out of range: use 1ms to {DurationText.Format(TimeoutMax)}.";
            return false;
        }

        policy = policy with { Timeout = timeout };
        return true;
    }
}
