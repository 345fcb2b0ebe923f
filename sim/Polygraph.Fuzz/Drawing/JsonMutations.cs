using System.Text;

namespace Polygraph.Fuzz.Drawing;

/// <summary>
/// Damages JSON so that most of it stays JSON: values are replaced by others, by limits and by values of another kind, doubled, taken out,
/// exchanged between two texts, or put deep into arrays. One time in four the bytes are damaged without looking.
/// </summary>
internal static class JsonMutations
{
    private static readonly byte[][] Values =
    [
        .. new[]
        {
            "null", "true", "false", "0", "-0", "1", "-1", "0.0", "1e1", "1.5", "1e400", "-1e400", "1E-400", "2147483647", "2147483648", "-2147483649", "4294967296",
            "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
            "18446744073709551616", "00", "1.", "\"\"", "\"a\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83e\\udd8a\"", "\"\\x\"", "\"=\"", "\"AA\"", "\"AA==\"", "\"A\"",
            "\"Infinity\"", "\"NaN\"", "[]", "{}", "[null]", "{\"\":null}", "{\"a\":1,\"a\":2}", "[1,]", "{\"a\"}", "", "/* */1", "'a'", "NaN", "\u00a01", "\ufeff1",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    public static byte[] Mutate(Dice dice, byte[] input, byte[] other, IReadOnlyList<byte[]> words)
    {
        for (var times = dice.Below(3) == 0 ? dice.Between(2, 4) : 1; times > 0; times--)
            input = dice.Chance(25) ? ByteMutations.Mutate(dice, input, other, words) : Once(dice, input, other, words);
        return input;
    }

    private static byte[] Once(Dice dice, byte[] input, byte[] other, IReadOnlyList<byte[]> words)
    {
        var (from, to) = PickValue(dice, input);
        switch (dice.Below(8))
        {
            case 0 or 1:
                return Replaced(input, from, to, dice.PickOf(Values));
            case 2:
                var (begin, end) = PickValue(dice, other);
                return Replaced(input, from, to, other[begin..end]);
            case 3:
                return Replaced(input, from, to, [.. input.AsSpan(from, to - from), (byte)',', .. input.AsSpan(from, to - from)]);
            case 4:
                return TakenOut(input, from, to);
            case 5:
                var depth = dice.Pick(1, 2, 3, 7, 8, 9, 31, 32, 33, 62, 63, 64, 65, 200, 2000);
                var open = dice.Coin() ? "["u8 : "{\"a\":"u8;
                var nested = new List<byte>();
                for (var i = 0; i < depth; i++)
                    nested.AddRange(open);
                nested.AddRange(input.AsSpan(from, to - from));
                nested.AddRange(Enumerable.Repeat((byte)(open.Length == 1 ? ']' : '}'), dice.Below(20) == 0 ? depth - 1 : depth));
                return Replaced(input, from, to, [.. nested]);
            case 6 when words.Count > 0:
                return Replaced(input, from, to, [(byte)'"', .. dice.PickOf(words), (byte)'"']);
            default:
                var (second, secondEnd) = PickValue(dice, input);
                return Replaced(input, from, to, input[second..secondEnd]);
        }
    }

    private static byte[] Replaced(byte[] input, int from, int to, ReadOnlySpan<byte> by) => [.. input.AsSpan(0, from), .. by, .. input.AsSpan(to)];

    /// <summary>A value, or a property with its name, and the comma beside it.</summary>
    private static byte[] TakenOut(byte[] input, int from, int to)
    {
        if (to < input.Length && input[to] == (byte)',')
            to++;
        else if (from > 0 && input[from - 1] == (byte)',')
            from--;
        return Replaced(input, from, to, []);
    }

    /// <summary>Where a value, a name, or a name with its value begins and ends; approximately, if the text is no JSON any more.</summary>
    private static (int From, int To) PickValue(Dice dice, byte[] json)
    {
        if (json.Length == 0)
            return (0, 0);
        var from = dice.Below(json.Length);
        while (from > 0 && json[from - 1] is not ((byte)',' or (byte)':' or (byte)'[' or (byte)'{' or (byte)'\n'))
            from--;
        var to = EndOf(json, from);
        if (to < json.Length && json[to] == (byte)':' && dice.Coin())
            to = EndOf(json, to + 1);
        return (from, to);
    }

    private static int EndOf(byte[] json, int at)
    {
        var depth = 0;
        var inString = false;
        for (; at < json.Length; at++)
        {
            var here = json[at];
            if (inString)
            {
                if (here == '\\')
                    at++;
                else
                    inString = here != '"';
                continue;
            }

            switch (here)
            {
                case (byte)'"':
                    inString = true;
                    break;
                case (byte)'[' or (byte)'{':
                    depth++;
                    break;
                case (byte)']' or (byte)'}':
                    if (depth == 0)
                        return at;
                    if (--depth == 0)
                        return at + 1;
                    break;
                case (byte)',' or (byte)':' or (byte)'\n' when depth == 0:
                    return at;
            }
        }

        return json.Length;
    }
}
