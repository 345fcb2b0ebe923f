using System.Runtime.InteropServices;
using System.Text;

namespace Polygraph.Storage.Sqlite;

/// <summary>Text on its way in and out of the C interface.</summary>
internal static unsafe class Utf8
{
    /// <summary>The bytes with a zero at the end.</summary>
    internal static byte[] Terminated(string text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    internal static string Read(byte* text) => ReadOrNull(text) ?? "";

    internal static string? ReadOrNull(byte* text)
        => text == null ? null : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
}
