using System.Text;
using Polygraph.Protocol;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Capture;

/// <summary>
/// The last after-image of every row that the running unit changed, for the tables whose triggers cannot be trusted to show the row before
/// (<see cref="TableShape.NeedsTracking"/>): a BEFORE trigger that changes its own row makes OLD a row that is no longer there.
/// </summary>
internal sealed class ImageTracker
{
    private readonly Dictionary<string, byte[]> _images = new(StringComparer.Ordinal);
    private readonly List<(string Key, byte[]? Before)> _undo = [];

    internal int Mark() => _undo.Count;

    internal void UndoTo(int mark)
    {
        for (var i = _undo.Count - 1; i >= mark; i--)
        {
            var (key, before) = _undo[i];
            if (before is null)
                _images.Remove(key);
            else
                _images[key] = before;
        }

        _undo.RemoveRange(mark, _undo.Count - mark);
    }

    internal void Clear()
    {
        _images.Clear();
        _undo.Clear();
    }

    /// <summary>The last after-image of the row with the key of this image, null if the unit has not changed it.</summary>
    internal byte[]? Find(string key) => _images.GetValueOrDefault(key);

    internal void Set(string key, byte[]? image)
    {
        _undo.Add((key, _images.GetValueOrDefault(key)));
        if (image is null)
            _images.Remove(key);
        else
            _images[key] = image;
    }

    /// <summary>The key of an image of which only the bytes are known.</summary>
    internal static string KeyOf(TableShape table, ReadOnlySpan<byte> image)
    {
        Span<int> ends = table.Values.Count <= 64 ? stackalloc int[table.Values.Count] : new int[table.Values.Count];
        LogicalPayloadScan.ValueEnds(image, ends);
        return KeyOf(table, image, ends);
    }

    /// <summary>The key of the row with a rowid.</summary>
    internal static string KeyOf(TableShape table, long rowid)
    {
        var value = new LogicalPayloadWriter();
        value.WriteInteger(rowid);
        return table.CaptureId + ":" + Encoding.Latin1.GetString(value.Written);
    }

    /// <summary>The key of an image: its table and the bytes of its key values. <paramref name="ends"/> are the ends of its values.</summary>
    internal static string KeyOf(TableShape table, ReadOnlySpan<byte> image, ReadOnlySpan<int> ends)
    {
        Invariant.Holds(ends.Length == table.Values.Count, "an image has all its values");
        var key = new StringBuilder().Append(table.CaptureId).Append(':');
        foreach (var part in table.Key)
        {
            var start = part == 0 ? 0 : ends[part - 1];
            key.Append(Encoding.Latin1.GetString(image[start..ends[part]]));
        }

        return key.ToString();
    }
}
