using Polygraph.Storage.Files;

namespace Polygraph.Storage.Log;

/// <summary>A view of a file that moves forward and reads each byte once, whatever the size of what is looked at.</summary>
internal sealed class FileWindow(IStorageFile file)
{
    private const int ReadBytes = 1024 * 1024;

    private byte[] _buffer = new byte[ReadBytes];
    private long _start;
    private int _filled;

    /// <summary>The file's length when the view was made.</summary>
    public long FileLength { get; } = file.Length;

    /// <summary>
    /// The bytes at an offset, fewer only at the end of the file. Offsets may go back only as far as the previous call's. The span is valid
    /// until the next call.
    /// </summary>
    public ReadOnlySpan<byte> Peek(long offset, int count)
    {
        if (offset + count > _start + _filled && _start + _filled < FileLength)
            Advance(offset, count);
        var inWindow = (int)Math.Min(offset - _start, _filled);
        return _buffer.AsSpan(inWindow, Math.Min(count, _filled - inWindow));
    }

    /// <summary>The offset of the last byte from <paramref name="offset"/> on that is not zero, null if all are. Leaves the view where it was.</summary>
    public long? LastNonZeroFrom(long offset)
    {
        long? last = null;
        var chunk = new byte[ReadBytes];
        for (var at = offset; at < FileLength; at += chunk.Length)
        {
            var bytes = chunk.AsSpan(0, file.Read(chunk, at));
            if (bytes.LastIndexOfAnyExcept((byte)0) is >= 0 and var found)
                last = at + found;
        }

        return last;
    }

    /// <summary>Moves the view to <paramref name="offset"/>, keeping what was read already, and reads on.</summary>
    private void Advance(long offset, int count)
    {
        var kept = _buffer.AsSpan((int)Math.Min(offset - _start, _filled), (int)Math.Max(0, _start + _filled - offset));
        var target = _buffer;
        if (count > _buffer.Length)
            target = new byte[Math.Max(count, _buffer.Length * 2)];
        kept.CopyTo(target);
        _buffer = target;
        _start = offset;
        _filled = kept.Length;
        _filled += file.Read(_buffer.AsSpan(_filled), _start + _filled);
    }
}
