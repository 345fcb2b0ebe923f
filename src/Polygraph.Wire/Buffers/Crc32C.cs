using System.Buffers.Binary;
using System.Numerics;

namespace Polygraph.Wire.Buffers;

/// <summary>CRC-32C (Castagnoli), the checksum of frames. One processor instruction for 8 bytes where there is one.</summary>
public static class Crc32C
{
    /// <summary>The checksum of <paramref name="bytes"/>; for <c>"123456789"</c> it is <c>0xE3069283</c>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var single in bytes)
            crc = BitOperations.Crc32C(crc, single);
        return ~crc;
    }
}
