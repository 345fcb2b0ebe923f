using System.Buffers.Binary;

namespace Polygraph.Fuzz.Drawing;

/// <summary>
/// Damages binary structures in the ways that find bugs in readers: flipped bits, lengths and counts at their limits, numbers of other widths,
/// pieces that are cut out, doubled, exchanged, or come from another structure of the same format.
/// </summary>
internal static class ByteMutations
{
    private const int BytesMax = 1 << 20;

    private static readonly ulong[] Limits =
    [
        0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x10000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF, 0x1_0000_0000,
        1UL << 56, (1UL << 62) - 1, 1UL << 62, (1UL << 62) + 1, long.MaxValue, 1UL << 63, ulong.MaxValue - 1, ulong.MaxValue,
    ];

    /// <summary>A damaged copy, once to four times.</summary>
    public static byte[] Mutate(Dice dice, byte[] input, byte[] other, IReadOnlyList<byte[]> words)
    {
        for (var times = dice.Below(3) == 0 ? dice.Between(2, 4) : 1; times > 0; times--)
            input = Once(dice, input, other, words);
        return input.Length <= BytesMax ? input : input[..BytesMax];
    }

    /// <summary>A number at a limit, or near the length of what it may count.</summary>
    public static ulong LimitNear(Dice dice, int length)
        => dice.Chance(40) ? (ulong)Math.Max(0, length + dice.Between(-2, 2)) : dice.PickOf(Limits);

    private static byte[] Once(Dice dice, byte[] input, byte[] other, IReadOnlyList<byte[]> words)
    {
        if (input.Length == 0)
            return dice.Coin() ? other : dice.Bytes();
        var at = dice.Below(input.Length);
        switch (dice.Below(words.Count > 0 ? 14 : 13))
        {
            case 0 or 1:
                return Changed(input, copy => copy[at] ^= (byte)(1 << dice.Below(8)));
            case 2:
                return Changed(input, copy => copy[at] = (byte)dice.Bits());
            case 3:
                return Changed(input, copy => copy.AsSpan(at, Math.Min(dice.Between(1, 10), copy.Length - at)).Fill(dice.Pick<byte>(0, 0x7F, 0x80, 0xFF)));
            case 4 or 5:
                return Changed(input, copy => WriteFixed(dice, copy, at));
            case 6 or 7:
                return ReplaceVarint(dice, input, at);
            case 8:
                return input[..at];
            case 9:
                return Doubled(dice, input, at);
            case 10:
                return [.. input.AsSpan(0, at), .. input.AsSpan(Math.Min(input.Length, at + dice.Between(1, 16)))];
            case 11:
                return Exchanged(dice, input, at);
            case 12:
                return Spliced(dice, input, at, other);
            default:
                return [.. input.AsSpan(0, at), .. dice.PickOf(words), .. input.AsSpan(dice.Coin() ? at : Math.Min(input.Length, at + 4))];
        }
    }

    private static byte[] Changed(byte[] input, Action<byte[]> change)
    {
        var copy = input.AsSpan().ToArray();
        change(copy);
        return copy;
    }

    private static void WriteFixed(Dice dice, byte[] copy, int at)
    {
        var limit = LimitNear(dice, copy.Length - at);
        switch (dice.Below(4))
        {
            case 0 when copy.Length - at >= 2:
                BinaryPrimitives.WriteUInt16LittleEndian(copy.AsSpan(at), (ushort)limit);
                break;
            case 1 when copy.Length - at >= 4:
                BinaryPrimitives.WriteUInt32LittleEndian(copy.AsSpan(at), (uint)limit);
                break;
            case 2 when copy.Length - at >= 8:
                BinaryPrimitives.WriteUInt64LittleEndian(copy.AsSpan(at), limit);
                break;
            default:
                copy[at] = (byte)limit;
                break;
        }
    }

    private static byte[] ReplaceVarint(Dice dice, byte[] input, int at)
    {
        var end = at;
        while (end < input.Length - 1 && input[end] >= 0x80 && end - at < 9)
            end++;
        Span<byte> varint = stackalloc byte[11];
        var length = 0;
        var value = LimitNear(dice, input.Length - end);
        for (; value >= 0x80; value >>= 7)
            varint[length++] = (byte)(value | 0x80);
        varint[length++] = (byte)value;
        if (dice.Below(16) == 0 && length < 10)
        {
            varint[length - 1] |= 0x80; // The same number with a byte more than it needs.
            varint[length++] = 0;
        }

        return [.. input.AsSpan(0, at), .. varint[..length], .. input.AsSpan(end + 1)];
    }

    private static byte[] Doubled(Dice dice, byte[] input, int at)
    {
        var piece = input.AsSpan(at, Math.Min(input.Length - at, dice.Between(1, 64))).ToArray();
        var result = new List<byte>(input.AsSpan(0, at).ToArray());
        for (var times = dice.Below(50) == 0 ? dice.Below(200) : 2; times > 0; times--)
            result.AddRange(piece);
        result.AddRange(input.AsSpan(at + piece.Length));
        return [.. result];
    }

    private static byte[] Exchanged(Dice dice, byte[] input, int at)
    {
        var second = dice.Below(input.Length);
        var (left, right) = (Math.Min(at, second), Math.Max(at, second));
        var length = Math.Min(dice.Between(1, 16), Math.Min(right - left, input.Length - right));
        return [.. input.AsSpan(0, left), .. input.AsSpan(right, length), .. input.AsSpan(left + length, right - left - length), .. input.AsSpan(left, length), .. input.AsSpan(right + length)];
    }

    private static byte[] Spliced(Dice dice, byte[] input, int at, byte[] other)
        => dice.Coin()
            ? [.. input.AsSpan(0, at), .. other.AsSpan(Math.Min(other.Length, at))]
            : [.. input.AsSpan(0, at), .. other.AsSpan(dice.Below(other.Length + 1))];
}
