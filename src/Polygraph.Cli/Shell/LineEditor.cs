namespace Polygraph.Cli.Shell;

/// <summary>How reading a line ended.</summary>
public enum LineEnd
{
    /// <summary>Enter.</summary>
    Entered,

    /// <summary>Ctrl-C.</summary>
    Cancelled,

    /// <summary>Ctrl-D on an empty line.</summary>
    EndOfInput,
}

/// <summary>
/// Reads a line from the terminal with the keys that every shell has. A line longer than the terminal is wide is shown in part, around the
/// cursor, so that nothing ever wraps.
/// </summary>
public sealed class LineEditor(History history)
{
    private readonly LineBuffer _buffer = new();
    private int _firstShown;

    /// <summary>Reads one line behind the prompt.</summary>
    public (LineEnd End, string Text) Read(string prompt)
    {
        _buffer.Set("");
        _firstShown = 0;
        Draw(prompt);
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (Act(key) is { } end)
            {
                // What was entered is shown in full, over as many lines as it takes.
                Console.WriteLine($"\r{prompt}{_buffer.Text}\e[K{(end == LineEnd.Cancelled ? "^C" : "")}");
                if (end == LineEnd.Entered)
                    history.Add(_buffer.Text);
                return (end, _buffer.Text);
            }

            // While a paste comes in, drawing every character would only slow it down.
            if (!Console.KeyAvailable)
                Draw(prompt);
        }
    }

    private LineEnd? Act(ConsoleKeyInfo key)
    {
        if (key.Modifiers.HasFlag(ConsoleModifiers.Control))
            return ActOnControl(key.Key);

        switch (key.Key)
        {
            case ConsoleKey.Enter:
                return LineEnd.Entered;
            case ConsoleKey.Backspace:
                _buffer.DeleteLeft();
                break;
            case ConsoleKey.Delete:
                _buffer.DeleteRight();
                break;
            case ConsoleKey.LeftArrow:
                _buffer.MoveLeft();
                break;
            case ConsoleKey.RightArrow:
                _buffer.MoveRight();
                break;
            case ConsoleKey.Home:
                _buffer.MoveToStart();
                break;
            case ConsoleKey.End:
                _buffer.MoveToEnd();
                break;
            case ConsoleKey.UpArrow:
                Recall(history.Older(_buffer.Text));
                break;
            case ConsoleKey.DownArrow:
                Recall(history.Newer());
                break;
            case ConsoleKey.Tab:
                _buffer.Insert(' ');
                break;
            default:
                if (!char.IsControl(key.KeyChar))
                    _buffer.Insert(key.KeyChar);
                break;
        }

        return null;
    }

    private LineEnd? ActOnControl(ConsoleKey key)
    {
        switch (key)
        {
            case ConsoleKey.C:
                return LineEnd.Cancelled;
            case ConsoleKey.D when _buffer.Text.Length == 0:
                return LineEnd.EndOfInput;
            case ConsoleKey.D:
                _buffer.DeleteRight();
                break;
            case ConsoleKey.J or ConsoleKey.M:
                return LineEnd.Entered;
            case ConsoleKey.A:
                _buffer.MoveToStart();
                break;
            case ConsoleKey.E:
                _buffer.MoveToEnd();
                break;
            case ConsoleKey.B:
                _buffer.MoveLeft();
                break;
            case ConsoleKey.F:
                _buffer.MoveRight();
                break;
            case ConsoleKey.K:
                _buffer.DeleteToEnd();
                break;
            case ConsoleKey.U:
                _buffer.DeleteToStart();
                break;
            case ConsoleKey.W or ConsoleKey.Backspace:
                _buffer.DeleteWordLeft();
                break;
            case ConsoleKey.LeftArrow:
                _buffer.MoveWordLeft();
                break;
            case ConsoleKey.RightArrow:
                _buffer.MoveWordRight();
                break;
            case ConsoleKey.P:
                Recall(history.Older(_buffer.Text));
                break;
            case ConsoleKey.N:
                Recall(history.Newer());
                break;
            case ConsoleKey.L:
                Console.Clear();
                break;
        }

        return null;
    }

    private void Recall(string? line)
    {
        if (line is not null)
            _buffer.Set(line);
    }

    // "\r", the prompt, the part of the line that fits, and "erase to the end": one write, so that nothing flickers.
    private void Draw(string prompt)
    {
        var room = Math.Max(10, Console.WindowWidth - prompt.Length - 1);
        if (_buffer.Cursor < _firstShown)
            _firstShown = _buffer.Cursor;
        if (_buffer.Cursor >= _firstShown + room)
            _firstShown = _buffer.Cursor - room + 1;
        _firstShown = Math.Clamp(_firstShown, 0, Math.Max(0, _buffer.Text.Length - room + 1));

        var shown = _buffer.Text.Substring(_firstShown, Math.Min(room, _buffer.Text.Length - _firstShown)).Replace('\t', ' ');
        var back = shown.Length - (_buffer.Cursor - _firstShown);
        Console.Write($"\r{prompt}{shown}\e[K{(back > 0 ? $"\e[{back}D" : "")}");
    }
}
