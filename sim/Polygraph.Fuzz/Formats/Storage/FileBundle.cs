using System.Buffers.Binary;
using System.Text;

namespace Polygraph.Fuzz.Formats.Storage;

/// <summary>The files of a directory as one input: name and content of each, with their lengths before them.</summary>
internal static class FileBundle
{
    public static byte[] Pack(IEnumerable<(string Name, byte[] Content)> files)
    {
        var bytes = new List<byte>();
        Span<byte> length = stackalloc byte[4];
        foreach (var (name, content) in files)
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, Encoding.UTF8.GetByteCount(name));
            bytes.AddRange(length);
            bytes.AddRange(Encoding.UTF8.GetBytes(name));
            BinaryPrimitives.WriteInt32LittleEndian(length, content.Length);
            bytes.AddRange(length);
            bytes.AddRange(content);
        }

        return [.. bytes];
    }

    /// <summary>Any bytes are some files: what is cut off is missing from the last one.</summary>
    public static List<(string Name, byte[] Content)> Unpack(byte[] bundle)
    {
        var files = new List<(string, byte[])>();
        for (var at = 0; at < bundle.Length;)
        {
            var name = Encoding.UTF8.GetString(Part(bundle, ref at)).Replace('/', '_').Replace('\0', '_');
            files.Add((name, Part(bundle, ref at).ToArray()));
        }

        return files;
    }

    private static ReadOnlySpan<byte> Part(byte[] bundle, ref int at)
    {
        if (bundle.Length - at < 4)
        {
            at = bundle.Length;
            return [];
        }

        var length = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(bundle.AsSpan(at)), (uint)(bundle.Length - at - 4));
        var part = bundle.AsSpan(at + 4, length);
        at += 4 + length;
        return part;
    }
}
