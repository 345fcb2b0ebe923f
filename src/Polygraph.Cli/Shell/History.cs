namespace Polygraph.Cli.Shell;

/// <summary>
/// The lines typed before, kept over sessions in the user's state directory (<c>$XDG_STATE_HOME/polygraph/sql_history</c>, by default below
/// <c>~/.local/state</c>), readable by the user only.
/// </summary>
public sealed class History
{
    /// <summary>The oldest go first; at 200 characters a line the file stays below 200 KiB.</summary>
    private const int LinesMax = 1_000;

    private readonly string _path;
    private readonly List<string> _lines;
    private int _at;
    private string _typed = "";

    private History(string path, List<string> lines)
    {
        _path = path;
        _lines = lines;
        _at = lines.Count;
    }

    /// <summary>The user's own; an empty one if the file is not there or not readable: a shell without history beats no shell.</summary>
    public static History Open(string path)
    {
        try
        {
            return new History(path, File.Exists(path) ? [.. File.ReadLines(path).TakeLast(LinesMax)] : []);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return new History(path, []);
        }
    }

    public static string DefaultPath()
    {
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } given
            ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        return Path.Combine(state, "polygraph", "sql_history");
    }

    /// <summary>Keeps a line, unless it is empty or the same as the last.</summary>
    public void Add(string line)
    {
        if (line.Trim().Length > 0 && (_lines.Count == 0 || _lines[^1] != line))
            _lines.Add(line);
        _at = _lines.Count;
        _typed = "";
    }

    /// <summary>The line before the one shown; what was typed so far is kept for the way back. Null at the oldest.</summary>
    public string? Older(string shown)
    {
        if (_at == 0)
            return null;
        if (_at == _lines.Count)
            _typed = shown;
        return _lines[--_at];
    }

    /// <summary>The line after the one shown; at the end, what had been typed. Null if that is shown already.</summary>
    public string? Newer()
    {
        if (_at == _lines.Count)
            return null;
        return ++_at == _lines.Count ? _typed : _lines[_at];
    }

    /// <summary>Writes the newest lines. Two shells at once: the last to end wins.</summary>
    public void Save()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(_path, options);
        foreach (var line in _lines.TakeLast(LinesMax))
            writer.WriteLine(line);
    }
}
