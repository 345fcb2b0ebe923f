using System.Text.Json;

namespace Polygraph.Checkers.Histories;

/// <summary>
/// Reads a history line by line, holding one line at a time. A last line without its line feed that is no whole object was torn when the harness was
/// killed, and is left out. Everything else that the format does not allow is refused, with the number of its line.
/// </summary>
public sealed class HistoryReader
{
    /// <summary>64 KiB to begin with: a few hundred operations a read. It grows to the longest line.</summary>
    private const int BufferBytes = 64 * 1024;

    /// <summary>A line of 256 MiB is a read of some twenty million elements: not a history but another file.</summary>
    private const int LineBytesMax = 256 * 1024 * 1024;

    private readonly Stream _stream;
    private readonly LineParser _parser = new();
    private byte[] _buffer = new byte[BufferBytes];
    private int _begin;
    private int _end;
    private long _line;

    /// <summary>Reads the header.</summary>
    /// <exception cref="MalformedHistoryException">The first line is no header that this version can read.</exception>
    public HistoryReader(Stream stream)
    {
        _stream = stream;
        if (!TryReadLine(out var line, out var isWhole))
            throw new MalformedHistoryException(1, "the file is empty, a header was expected");
        Header = Parsed(line, isWhole, _parser.Header) ?? throw new MalformedHistoryException(1, "the header is torn");
    }

    public HistoryHeader Header { get; }

    /// <summary>Whether the last line was torn, and left out. Known when all was read.</summary>
    public bool IsTorn { get; private set; }

    /// <summary>The next line, or null after the last one.</summary>
    /// <exception cref="MalformedHistoryException">The line is not what the format says.</exception>
    public HistoryLine? ReadNext()
    {
        while (TryReadLine(out var line, out var isWhole))
        {
            if (line.IsEmpty)
                continue;
            if (Parsed(line, isWhole, _parser.Line) is { } parsed)
                return parsed;
            IsTorn = true;
        }

        return null;
    }

    private T? Parsed<T>(ReadOnlyMemory<byte> line, bool isWhole, Func<ReadOnlyMemory<byte>, T> parse)
        where T : class
    {
        try
        {
            return parse(line);
        }
        catch (JsonException) when (!isWhole)
        {
            // Torn: the caller leaves it out, and says so.
            return null;
        }
        catch (JsonException broken)
        {
            throw new MalformedHistoryException(_line, $"this is no JSON object of one line ({broken.Message})");
        }
        catch (FormatException wrong)
        {
            throw new MalformedHistoryException(_line, wrong.Message);
        }
    }

    private bool TryReadLine(out ReadOnlyMemory<byte> line, out bool isWhole)
    {
        var searched = 0;
        while (true)
        {
            var feed = _buffer.AsSpan(_begin + searched, _end - _begin - searched).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                line = _buffer.AsMemory(_begin, searched + feed);
                isWhole = true;
                _begin += searched + feed + 1;
                _line++;
                return true;
            }

            searched = _end - _begin;
            if (Fill())
                continue;
            line = _buffer.AsMemory(_begin, searched);
            isWhole = false;
            _begin = _end;
            _line++;
            return searched > 0;
        }
    }

    private bool Fill()
    {
        if (_begin > 0)
        {
            _buffer.AsSpan(_begin, _end - _begin).CopyTo(_buffer);
            (_begin, _end) = (0, _end - _begin);
        }

        if (_end == _buffer.Length)
        {
            if (_end >= LineBytesMax)
                throw new MalformedHistoryException(_line + 1, $"the line is longer than {LineBytesMax} bytes");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var read = _stream.Read(_buffer.AsSpan(_end));
        _end += read;
        return read > 0;
    }
}
