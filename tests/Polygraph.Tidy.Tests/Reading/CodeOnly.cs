namespace Polygraph.Tidy.Tests.Reading;

/// <summary>
/// Blanks comments, strings and characters of a C# text, and keeps every line break, so that places stay what they were. Knows verbatim,
/// raw and interpolated strings; what stands in the holes of an interpolated string is blanked with it.
/// </summary>
internal sealed class CodeOnly
{
    private readonly string _text;
    private readonly char[] _code;
    private int _at;

    private CodeOnly(string text)
    {
        _text = text;
        _code = text.ToCharArray();
    }

    public static string Of(string text)
    {
        var reader = new CodeOnly(text);
        reader.Read();
        return new string(reader._code);
    }

    private bool End => _at >= _text.Length;

    private char Here => _text[_at];

    private bool Sees(string expected) => string.CompareOrdinal(_text, _at, expected, 0, expected.Length) == 0;

    private void Read()
    {
        while (!End)
        {
            var began = _at;
            if (SkipNoise())
                Blank(began);
            else
                _at++;
        }
    }

    /// <summary>Goes past a comment, string or character if one begins here.</summary>
    private bool SkipNoise()
    {
        if (Sees("//"))
            SkipTo("\n", include: false);
        else if (Sees("/*"))
            SkipTo("*/", include: true);
        else if (Here == '\'')
            SkipCharacter();
        else if (StringPrefix() is { } prefix)
            SkipString(prefix);
        else
            return false;
        return true;
    }

    private void SkipTo(string mark, bool include)
    {
        var found = _text.IndexOf(mark, _at, StringComparison.Ordinal);
        _at = found < 0 ? _text.Length : include ? found + mark.Length : found;
    }

    private void SkipCharacter()
    {
        _at++;
        while (!End && Here != '\'')
            _at += Here == '\\' ? 2 : 1;
        _at++;
    }

    /// <summary>The dollars and at-signs before the quotes of a string that begins here; null if none does.</summary>
    private string? StringPrefix()
    {
        var quote = _at;
        while (quote < _text.Length && _text[quote] is '$' or '@')
            quote++;
        return quote < _text.Length && _text[quote] == '"' ? _text[_at..quote] : null;
    }

    private void SkipString(string prefix)
    {
        _at += prefix.Length;
        var quotes = 0;
        while (_at + quotes < _text.Length && _text[_at + quotes] == '"')
            quotes++;
        var dollars = prefix.Count(c => c == '$');
        if (quotes >= 3)
            SkipRaw(quotes);
        else
            SkipQuoted(verbatim: prefix.Contains('@', StringComparison.Ordinal), interpolated: dollars > 0);
    }

    // A raw string may hold no run of quotes as long as its own, not even in a hole.
    private void SkipRaw(int quotes)
    {
        _at += quotes;
        SkipTo(new string('"', quotes), include: true);
    }

    private void SkipQuoted(bool verbatim, bool interpolated)
    {
        _at++;
        while (!End)
        {
            if (verbatim ? Sees("\"\"") : Here == '\\')
                _at += 2;
            else if (interpolated && (Sees("{{") || Sees("}}")))
                _at += 2;
            else if (interpolated && Here == '{')
                SkipHole();
            else if (_text[_at++] == '"')
                return;
        }
    }

    private void SkipHole()
    {
        var depth = 0;
        while (!End)
        {
            if (SkipNoise())
                continue;
            depth += Here switch { '{' => 1, '}' => -1, _ => 0 };
            _at++;
            if (depth == 0)
                return;
        }
    }

    private void Blank(int from)
    {
        _at = Math.Min(_at, _text.Length);
        for (var i = from; i < _at; i++)
            if (_code[i] != '\n')
                _code[i] = ' ';
    }
}
