using System.Text;

namespace Polygraph.Fuzz.Drawing;

/// <summary>Damages short texts: parts at separators are taken out, doubled or exchanged, numbers go to their limits, letters become strange ones.</summary>
internal static class TextMutations
{
    private static readonly byte[][] Pieces =
    [
        .. new[]
        {
            "0", "1", "-1", "9", "00", "2147483648", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e9", "0x1", "+1", " ", "\t", ";", ";;", "=", "+", "-", ":", "/", "*", "'", "\"",
            "[", "]", "(", "%00", "%", "%zz", "&", "?", "\0", "\u00a0", "\u0660", "ı", "İ", "ſ", "K", "🦊", "\u202e", "\ufeff", "--", "/*", "*/", "\n", "\r\n",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    public static byte[] Mutate(Dice dice, byte[] input, byte[] other, IReadOnlyList<byte[]> words)
    {
        for (var times = dice.Between(1, 3); times > 0; times--)
        {
            var at = dice.Below(input.Length + 1);
            input = dice.Below(5) switch
            {
                0 => [.. input.AsSpan(0, at), .. dice.PickOf(Pieces), .. input.AsSpan(at)],
                1 => [.. input.AsSpan(0, at), .. dice.PickOf(Pieces), .. input.AsSpan(Math.Min(input.Length, at + dice.Between(1, 4)))],
                2 when words.Count > 0 => [.. input.AsSpan(0, at), .. dice.PickOf(words), .. input.AsSpan(at)],
                3 when dice.Below(40) == 0 => [.. Enumerable.Repeat(input, dice.Between(2, 400)).SelectMany(part => part).Take(1 << 16)],
                _ => ByteMutations.Mutate(dice, input, other, words),
            };
        }

        return input;
    }
}
