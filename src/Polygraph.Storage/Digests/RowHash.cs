using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Polygraph.Protocol;

namespace Polygraph.Storage.Digests;

/// <summary>
/// The 128-bit hash of one row, version 1: two 64-bit lanes over the row's image in the canonical encoding of
/// <see cref="Wire.Log.LogicalPayload"/> (integers by value, REAL by bits so that 0.0 and −0.0 differ, text and blobs by bytes, the rowid
/// included, the table's name not).
/// <code>
/// fold(x, y) = low 64 bits of x·y  xor  high 64 bits of x·y
/// a = C0 xor length,  b = C1 + length
/// for each 16 bytes, the last ones filled up with zeros, as little-endian words u, v:
///     a = fold(a xor u, v xor C2),  b = fold(b xor v, u xor C3)
/// hash = fold(a xor C4, b xor C5) · 2^64  +  fold(a + C6, b xor C7)
/// </code>
/// The multiply-fold is that of wyhash. It finds faults, it does not resist forgers.
/// </summary>
internal static class RowHash
{
    // The first 64 bits of the fractional parts of the square roots of 2, 3, 5, 7, 11, 13, 17, 19: nothing up our sleeves.
    private const ulong C0 = 0x6a09e667f3bcc908;
    private const ulong C1 = 0xbb67ae8584caa73b;
    private const ulong C2 = 0x3c6ef372fe94f82b;
    private const ulong C3 = 0xa54ff53a5f1d36f1;
    private const ulong C4 = 0x510e527fade682d1;
    private const ulong C5 = 0x9b05688c2b3e6c1f;
    private const ulong C6 = 0x1f83d9abfb41bd6b;
    private const ulong C7 = 0x5be0cd19137e2179;

    /// <summary>What is mixed in at once.</summary>
    internal const int BlockBytes = 16;

    internal static UInt128 Of(ReadOnlySpan<byte> image)
    {
        var (a, b) = Begin((ulong)image.Length);
        MixAll(image, ref a, ref b);
        return End(a, b);
    }

    /// <summary>The same hash of bytes that come in pieces. All pieces but the last are blocks of <see cref="BlockBytes"/>, without a rest.</summary>
    /// <param name="length">How many bytes there will be.</param>
    internal struct Running(long length)
    {
        private (ulong A, ulong B) _lanes = Begin((ulong)length);
        private long _missing = length;

        internal void Append(ReadOnlySpan<byte> piece)
        {
            _missing -= piece.Length;
            Invariant.Holds(_missing == 0 || (_missing > 0 && piece.Length % BlockBytes == 0), "only the last piece has a rest, and it ends where it was said");
            var (a, b) = _lanes;
            MixAll(piece, ref a, ref b);
            _lanes = (a, b);
        }

        /// <summary>The hash, when all bytes are there.</summary>
        internal readonly UInt128 End()
        {
            Invariant.Holds(_missing == 0, "the hash of all bytes is asked for when all are there");
            return RowHash.End(_lanes.A, _lanes.B);
        }
    }

    private static (ulong A, ulong B) Begin(ulong length) => (C0 ^ length, C1 + length);

    private static UInt128 End(ulong a, ulong b) => new(Fold(a ^ C4, b ^ C5), Fold(a + C6, b ^ C7));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MixAll(ReadOnlySpan<byte> bytes, ref ulong a, ref ulong b)
    {
        while (bytes.Length >= BlockBytes)
        {
            Mix(bytes, ref a, ref b);
            bytes = bytes[BlockBytes..];
        }

        if (!bytes.IsEmpty)
        {
            Span<byte> last = stackalloc byte[BlockBytes];
            last.Clear();
            bytes.CopyTo(last);
            Mix(last, ref a, ref b);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ReadOnlySpan<byte> block, ref ulong a, ref ulong b)
    {
        var u = BinaryPrimitives.ReadUInt64LittleEndian(block);
        var v = BinaryPrimitives.ReadUInt64LittleEndian(block[8..]);
        a = Fold(a ^ u, v ^ C2);
        b = Fold(b ^ v, u ^ C3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong x, ulong y)
    {
        var high = Math.BigMul(x, y, out var low);
        return high ^ low;
    }
}
