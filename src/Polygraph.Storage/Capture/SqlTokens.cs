namespace Polygraph.Storage.Capture;

/// <summary>
/// Enough of SQLite's lexer to see keywords: comments, strings and quoted names are passed over, so that a keyword inside them is none.
/// </summary>
internal ref struct SqlTokens(ReadOnlySpan<char> sql)
{
    private ReadOnlySpan<char> _rest = sql;

    /// <summary>The token: a bare word, a quoted one with its quotes, or a single other character.</summary>
    internal ReadOnlySpan<char> Current { get; private set; }

    internal bool Read()
    {
        SkipBlank();
        if (_rest.IsEmpty)
            return false;
        var length = TokenLength(_rest);
        Current = _rest[..length];
        _rest = _rest[length..];
        return true;
    }

    /// <summary>How many characters of the text have been read.</summary>
    internal readonly int Consumed(string text) => text.Length - _rest.Length;

    internal readonly bool Is(string word) => Current.Equals(word, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the text has two given words next to one another.</summary>
    internal static bool HasPair(string sql, string first, string second)
    {
        var tokens = new SqlTokens(sql);
        var afterFirst = false;
        while (tokens.Read())
        {
            if (afterFirst && tokens.Is(second))
                return true;
            afterFirst = tokens.Is(first);
        }

        return false;
    }

    /// <summary>Whether the text has a word, outside of strings, comments and quoted names.</summary>
    internal static bool HasWord(string sql, string word)
    {
        var tokens = new SqlTokens(sql);
        while (tokens.Read())
            if (tokens.Is(word))
                return true;
        return false;
    }

    /// <summary>The first word in upper case, empty if there is none.</summary>
    internal static string FirstWord(string sql)
    {
        var tokens = new SqlTokens(sql);
        while (tokens.Read())
            if (!tokens.Is(";"))
                return tokens.Current.ToString().ToUpperInvariant();
        return "";
    }

    /// <summary>Whether the statement can delete rows by REPLACE: <c>OR REPLACE</c> or <c>REPLACE INTO</c>.</summary>
    internal static bool CanReplace(string sql) => HasPair(sql, "OR", "REPLACE") || HasPair(sql, "REPLACE", "INTO");

    /// <summary>Whether the statement can fail and keep what it did before: <c>OR FAIL</c>, or a trigger's <c>RAISE(FAIL</c>.</summary>
    internal static bool CanFail(string sql) => HasPair(sql, "OR", "FAIL") || HasPair(sql, "(", "FAIL");

    /// <summary>
    /// Whether an upsert has two ON CONFLICT clauses for the same columns. SQLite (3.40 for one) then leaves out the check of the other keys, and puts
    /// a second row over the first.
    /// </summary>
    internal static bool HasTwinUpserts(string sql)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var tokens = new SqlTokens(sql);
        var afterOn = false;
        while (tokens.Read())
        {
            if (tokens.Is(";"))
                seen.Clear();
            if (afterOn && tokens.Is("CONFLICT") && tokens.ReadTarget() is { Length: > 0 } target && !seen.Add(target))
                return true;
            afterOn = tokens.Is("ON");
        }

        return false;
    }

    /// <summary>What stands in the parentheses that follow, if they do.</summary>
    private string ReadTarget()
    {
        var target = new System.Text.StringBuilder();
        for (var depth = 0; Read();)
        {
            depth += Is("(") ? 1 : Is(")") ? -1 : 0;
            if (depth == 0)
                break;
            target.Append(Current.Trim("\"`[]")).Append(' ');
        }

        return target.ToString();
    }

    private void SkipBlank()
    {
        while (true)
        {
            _rest = _rest.TrimStart();
            if (_rest.StartsWith("--"))
            {
                var end = _rest.IndexOf('\n');
                _rest = end < 0 ? default : _rest[(end + 1)..];
            }
            else if (_rest.StartsWith("/*"))
            {
                var end = _rest[2..].IndexOf("*/");
                _rest = end < 0 ? default : _rest[(end + 4)..];
            }
            else
            {
                return;
            }
        }
    }

    private static int TokenLength(ReadOnlySpan<char> text)
    {
        switch (text[0])
        {
            case '\'' or '"' or '`':
                return QuotedLength(text, text[0]);
            case '[':
                var close = text.IndexOf(']');
                return close < 0 ? text.Length : close + 1;
        }

        var length = 0;
        while (length < text.Length && (char.IsLetterOrDigit(text[length]) || text[length] is '_' or '$' || text[length] >= 0x80))
            length++;
        return Math.Max(length, 1);
    }

    private static int QuotedLength(ReadOnlySpan<char> text, char quote)
    {
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] != quote)
                continue;
            if (i + 1 == text.Length || text[i + 1] != quote)
                return i + 1;
            i++;
        }

        return text.Length;
    }
}
