namespace Polygraph.Cli.Shell;

/// <summary>A line that is being typed, and where the cursor stands in it. Knows nothing of terminals.</summary>
public sealed class LineBuffer
{
    private string _text = "";

    public string Text => _text;

    /// <summary>From 0 to the length of the text.</summary>
    public int Cursor { get; private set; }

    /// <summary>Replaces the line; the cursor goes to its end.</summary>
    public void Set(string text)
    {
        _text = text;
        Cursor = text.Length;
    }

    public void Insert(char character)
    {
        _text = _text.Insert(Cursor, character.ToString());
        Cursor++;
    }

    public void MoveLeft() => Cursor = Before(Cursor);

    public void MoveRight() => Cursor = Behind(Cursor);

    public void MoveToStart() => Cursor = 0;

    public void MoveToEnd() => Cursor = _text.Length;

    public void MoveWordLeft() => Cursor = WordStart();

    public void MoveWordRight()
    {
        while (Cursor < _text.Length && char.IsWhiteSpace(_text[Cursor]))
            Cursor++;
        while (Cursor < _text.Length && !char.IsWhiteSpace(_text[Cursor]))
            Cursor++;
    }

    /// <summary>Backspace.</summary>
    public void DeleteLeft() => Remove(Before(Cursor), Cursor);

    /// <summary>Delete.</summary>
    public void DeleteRight() => Remove(Cursor, Behind(Cursor));

    public void DeleteWordLeft() => Remove(WordStart(), Cursor);

    public void DeleteToStart() => Remove(0, Cursor);

    public void DeleteToEnd() => Remove(Cursor, _text.Length);

    private void Remove(int from, int to)
    {
        _text = _text.Remove(from, to - from);
        Cursor = from;
    }

    private int WordStart()
    {
        var at = Cursor;
        while (at > 0 && char.IsWhiteSpace(_text[at - 1]))
            at--;
        while (at > 0 && !char.IsWhiteSpace(_text[at - 1]))
            at--;
        return at;
    }

    // A character outside the basic plane takes two places and is never cut in half.
    private int Before(int at) => at >= 2 && char.IsSurrogatePair(_text[at - 2], _text[at - 1]) ? at - 2 : Math.Max(0, at - 1);

    private int Behind(int at) => at + 1 < _text.Length && char.IsSurrogatePair(_text[at], _text[at + 1]) ? at + 2 : Math.Min(_text.Length, at + 1);
}
