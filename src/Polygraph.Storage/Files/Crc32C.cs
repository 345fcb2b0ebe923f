using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Polygraph.Storage.Files;

/// <summary>CRC-32C (Castagnoli), by the processor's own instruction where it has one. Finds every burst of up to 32 wrong bits.</summary>
internal static class Crc32C
{
    /// <summary>The checksum of some bytes, or of bytes that follow others whose checksum is <paramref name="previous"/>.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes, uint previous = 0)
    {
        var crc = ~previous;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (var single in bytes[(bytes.Length & ~7)..])
            crc = BitOperations.Crc32C(crc, single);
        return ~crc;
    }
}
