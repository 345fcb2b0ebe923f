using System.Buffers.Binary;
using Polygraph.Wire.Buffers;

namespace Polygraph.Fuzz.Formats.Wire;

/// <summary>Makes the lengths and checksums of damaged structures right again.</summary>
internal static class Seals
{
    /// <summary>A length and a CRC-32C, four bytes each, of everything that follows them.</summary>
    public static void LengthAndChecksum(byte[] message, int at)
    {
        const int NumbersBytes = 2 * sizeof(uint);
        if (message.Length < at + NumbersBytes)
            return;
        var content = message.AsSpan(at + NumbersBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(at), (uint)content.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(at + sizeof(uint)), Crc32C.Compute(content));
    }

    /// <summary>A CRC-32C at the end, of everything before it.</summary>
    public static void ChecksumAtTheEnd(Span<byte> bytes)
    {
        if (bytes.Length >= sizeof(uint))
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[^sizeof(uint)..], Crc32C.Compute(bytes[..^sizeof(uint)]));
    }
}
