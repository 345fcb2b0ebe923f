using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Polygraph.Storage.Execution;

/// <summary>
/// Bytes that follow from a seed, the same on every replica: SHA-256 of the seed and a number from 0 (eight bytes, little-endian), one digest
/// after the other. Part of the log's format, and as hard to guess as the seed.
/// </summary>
internal sealed class RandomStream(ReadOnlyMemory<byte> seed)
{
    private readonly byte[] _input = [.. seed.Span, .. new byte[sizeof(ulong)]];
    private readonly byte[] _block = new byte[SHA256.HashSizeInBytes];
    private ulong _next;
    private int _used = SHA256.HashSizeInBytes;

    internal void Fill(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_used == _block.Length)
                Refill();
            var taken = Math.Min(bytes.Length, _block.Length - _used);
            _block.AsSpan(_used, taken).CopyTo(bytes);
            _used += taken;
            bytes = bytes[taken..];
        }
    }

    /// <summary>As SQLite draws for <c>random()</c>: never the number whose absolute value does not exist.</summary>
    internal long Integer()
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        Fill(bytes);
        var value = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return value < 0 ? -(value & long.MaxValue) : value;
    }

    private void Refill()
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_input.AsSpan(_input.Length - sizeof(ulong)), _next++);
        SHA256.HashData(_input, _block);
        _used = 0;
    }
}
