using System.Text;
using Polygraph.Protocol;

namespace Polygraph.Fuzz.Drawing;

/// <summary>The only source of chance: what is drawn is fixed by the seed.</summary>
internal sealed class Dice(ulong seed)
{
    private static readonly string[] Texts =
        ["", "a", "main", "grün", "名前", "\0", "\u202e", "🦊", "n1", "it's", "\"", "\\", "\r\n", "SELECT 1", "x'00'", "\uFFFD"];

    private readonly SeededRandom _random = new(seed);

    public ulong Bits() => _random.Next();

    /// <summary>A number from 0 up to but not including the bound.</summary>
    public int Below(int bound) => (int)(_random.Next() % (ulong)bound);

    /// <summary>A number between two, both included.</summary>
    public int Between(int min, int max) => min + Below(max - min + 1);

    /// <summary>True so many times of a hundred.</summary>
    public bool Chance(int percent) => Below(100) < percent;

    public bool Coin() => (_random.Next() & 1) == 0;

    public T Pick<T>(params ReadOnlySpan<T> choices) => choices[Below(choices.Length)];

    public T PickOf<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <summary>A number of any size: each length in bits is as likely as the others.</summary>
    public ulong Number() => _random.Next() >> Below(64);

    public long Signed() => (long)Number() * (Coin() ? 1 : -1);

    /// <summary>A count: small nearly always, sometimes large enough to show what grows with its square.</summary>
    public int Count(int usualMax = 4, int rareMax = 300) => Below(400) == 0 ? Below(rareMax + 1) : Below(usualMax + 1);

    public byte[] Bytes(int usualMax = 24) => Fill(new byte[Below(Below(64) == 0 ? 4096 : usualMax + 1)]);

    public byte[] Fill(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length; at += sizeof(ulong))
        {
            var bits = _random.Next();
            for (var i = at; i < bytes.Length && i < at + sizeof(ulong); i++, bits >>= 8)
                bytes[i] = (byte)bits;
        }

        return bytes;
    }

    /// <summary>A text, valid Unicode, short nearly always.</summary>
    public string Text(int lengthMax = 200)
    {
        if (Chance(60))
            return Pick<string>(Texts);
        var text = new StringBuilder();
        for (var pieces = Count(3, 40); pieces > 0; pieces--)
            text.Append(Chance(70) ? ((char)Between(' ', '~')).ToString() : Pick<string>(Texts));
        return text.Length <= lengthMax || lengthMax == 0 ? text.ToString() : text.ToString(0, lengthMax).TrimEnd('\uD83E');
    }

    /// <summary>A name as the configuration would have it.</summary>
    public string Name() => Pick("n1", "n2", "n3", "node-" + Below(1000), "grün");

    /// <summary>A null one time in three.</summary>
    public string? MaybeText() => Below(3) == 0 ? null : Text();

    public T[] Many<T>(Func<T> one, int usualMax = 4, int rareMax = 300)
    {
        var many = new T[Count(usualMax, rareMax)];
        for (var i = 0; i < many.Length; i++)
            many[i] = one();
        return many;
    }
}
