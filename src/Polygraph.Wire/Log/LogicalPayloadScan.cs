using Polygraph.Wire.Sql;

namespace Polygraph.Wire.Log;

/// <summary>Finds values in an image without decoding them.</summary>
public static class LogicalPayloadScan
{
    /// <summary>Fills in the end of each of the values that the image begins with.</summary>
    public static void ValueEnds(ReadOnlySpan<byte> image, Span<int> ends)
    {
        var position = 0;
        for (var i = 0; i < ends.Length; i++)
            ends[i] = position = ValueEnd(image, position);
    }

    private static int ValueEnd(ReadOnlySpan<byte> image, int position)
    {
        if (position >= image.Length)
            throw new LogicalPayloadException("an image has too few values.");
        var tag = image[position++];
        var end = tag switch
        {
            (byte)SqlValueKind.Null or LogicalPayload.TagSame => position,
            (byte)SqlValueKind.Real => position + 8,
            (byte)SqlValueKind.Integer => VarintEnd(image, position, out _),
            (byte)SqlValueKind.Text or (byte)SqlValueKind.Blob => VarintEnd(image, position, out var length) + (long)length,
            _ => throw new LogicalPayloadException($"value tag {tag} is unknown."),
        };
        return end <= image.Length ? (int)end : throw new LogicalPayloadException("a value goes past its image.");
    }

    private static int VarintEnd(ReadOnlySpan<byte> image, int position, out uint value)
    {
        value = 0;
        for (var shift = 0; position < image.Length; shift += 7)
        {
            var next = image[position++];
            if (shift < 32)
                value |= (uint)(next & 0x7f) << shift;
            if (next < 0x80)
                return position;
        }

        throw new LogicalPayloadException("a number in an image goes past its end.");
    }
}
