namespace Polygraph.Cli.Shell;

/// <summary>Statements that are complete, and what comes after the last of them.</summary>
/// <param name="Complete">Each with its semicolon.</param>
/// <param name="Rest">Without a semicolon yet; empty if there is nothing but white space and comments.</param>
public readonly record struct SplitStatements(IReadOnlyList<string> Complete, string Rest)
{
    /// <summary>All of them, the last with or without its semicolon.</summary>
    public IReadOnlyList<string> All => Rest.Length == 0 ? Complete : [.. Complete, Rest];
}

/// <summary>
/// Cuts a text into SQL statements as SQLite's own shell does (<c>sqlite3_complete</c>): at semicolons that are not inside a string, a quoted
/// name, a comment, or the body of a trigger, which ends with <c>; END;</c>.
/// </summary>
public static class StatementSplitter
{
    public static SplitStatements Split(string text)
    {
        var complete = new List<string>();
        var start = 0;
        var statement = new StatementShape();
        for (var at = 0; at < text.Length;)
        {
            var end = EndOfToken(text, at, out var kind);
            if (kind == Token.Semicolon)
            {
                if (statement.EndsWithSemicolon())
                {
                    if (!statement.IsEmpty)
                        complete.Add(text[start..end].Trim());
                    start = end;
                    statement = new StatementShape();
                }
            }
            else if (kind != Token.Nothing)
            {
                statement.Add(kind == Token.Word ? text.AsSpan(at, end - at) : default);
            }

            at = end;
        }

        return new SplitStatements(complete, statement.IsEmpty ? "" : text[start..].Trim());
    }

    private enum Token
    {
        Nothing,
        Word,
        Other,
        Semicolon,
    }

    private static int EndOfToken(string text, int at, out Token kind)
    {
        var first = text[at];
        var second = at + 1 < text.Length ? text[at + 1] : '\0';
        kind = Token.Other;
        switch (first)
        {
            case ';':
                kind = Token.Semicolon;
                return at + 1;
            case '\'' or '"' or '`':
                return After(text, at + 1, first.ToString());
            case '[':
                return After(text, at + 1, "]");
            case '-' when second == '-':
                kind = Token.Nothing;
                return After(text, at + 2, "\n");
            case '/' when second == '*':
                kind = Token.Nothing;
                return After(text, at + 2, "*/");
        }

        if (char.IsWhiteSpace(first))
        {
            kind = Token.Nothing;
            return at + 1;
        }

        if (!IsWordCharacter(first))
            return at + 1;
        kind = Token.Word;
        while (at < text.Length && IsWordCharacter(text[at]))
            at++;
        return at;
    }

    // A doubled quote inside a string reads as two strings side by side, which cuts in the same places.
    private static int After(string text, int from, string mark)
    {
        var at = text.IndexOf(mark, from, StringComparison.Ordinal);
        return at < 0 ? text.Length : at + mark.Length;
    }

    private static bool IsWordCharacter(char character) => char.IsLetterOrDigit(character) || character is '_' or '$';

    /// <summary>Knows whether a semicolon ends the statement whose words it has seen.</summary>
    private struct StatementShape
    {
        private enum Head
        {
            Start,
            Explain,
            Create,
            Trigger,
            Other,
        }

        private Head _head;
        private bool _bodyStatementEnded;
        private bool _bodyEnded;

        public bool IsEmpty { get; private set; } = true;

        public StatementShape()
        {
        }

        public void Add(ReadOnlySpan<char> word)
        {
            IsEmpty = false;
            // "; END" ends a trigger's body; an END anywhere else belongs to a CASE.
            _bodyEnded = _bodyStatementEnded && Is(word, "END");
            _bodyStatementEnded = false;
            _head = _head switch
            {
                Head.Start or Head.Explain when Is(word, "EXPLAIN") || Is(word, "QUERY") || Is(word, "PLAN") => Head.Explain,
                Head.Start or Head.Explain when Is(word, "CREATE") => Head.Create,
                Head.Create when Is(word, "TEMP") || Is(word, "TEMPORARY") => Head.Create,
                Head.Create or Head.Trigger when _head == Head.Trigger || Is(word, "TRIGGER") => Head.Trigger,
                _ => Head.Other,
            };
        }

        public bool EndsWithSemicolon()
        {
            if (_head != Head.Trigger || _bodyEnded)
                return true;

            _bodyStatementEnded = true;
            return false;
        }

        private static bool Is(ReadOnlySpan<char> word, string keyword) => word.Equals(keyword, StringComparison.OrdinalIgnoreCase);
    }
}
