using Polygraph.Fuzz.Drawing;

namespace Polygraph.Fuzz.Formats;

/// <summary>One thing that the product reads from outside: from a socket, a file, a header.</summary>
internal abstract class Format
{
    /// <summary>What <c>--only</c> takes.</summary>
    public abstract string Name { get; }

    /// <summary>How often it has its turn beside the others; what reads whole directories is slower and has fewer.</summary>
    public virtual int Weight => 8;

    /// <summary>
    /// The most memory that an input may take for each of its bytes: a NULL is one byte on the wire and 32 in a row, an empty text of two bytes
    /// is an object of 22 and the reference to it.
    /// </summary>
    public virtual int AllocationFactorMax => 64;

    /// <summary>The most memory that an input may take whatever its length: first capacities, the refusal with its message and stack.</summary>
    public virtual int AllocationBaseMax => 32 * 1024;

    /// <summary>Words that mean something in this format, for the mutations.</summary>
    public virtual IReadOnlyList<byte[]> Words => [];

    /// <summary>The bytes of something that is valid, drawn anew.</summary>
    /// <exception cref="BrokenPromiseException">It does not come back as it went.</exception>
    public abstract byte[] Draw(Dice dice);

    /// <summary>Reads an input. False: refused as the format's contract says. Whatever else is thrown is a bug.</summary>
    public abstract bool Accepts(byte[] input);

    /// <summary>What must hold for an input that was accepted; looked at now and then, because it costs more than reading.</summary>
    /// <exception cref="BrokenPromiseException">It does not hold.</exception>
    public virtual void CheckAccepted(byte[] input)
    {
    }

    /// <summary>A damaged copy of <paramref name="input"/>, perhaps with a piece of <paramref name="other"/>.</summary>
    public virtual byte[] Mutate(Dice dice, byte[] input, byte[] other) => ByteMutations.Mutate(dice, input, other, Words);

    protected static void Same(string what, string expected, string found)
    {
        if (expected != found)
            throw new BrokenPromiseException($"{what}:\n  {Shorten(expected)}\nbecame\n  {Shorten(found)}");
    }

    private static string Shorten(string text) => text.Length <= 2000 ? text : text[..2000] + "…";
}

/// <summary>A reader kept its exceptions, but not its word.</summary>
internal sealed class BrokenPromiseException(string what) : Exception(what);

/// <summary>A format whose values can be written and read back.</summary>
internal abstract class Codec<T> : Format
{
    public sealed override byte[] Draw(Dice dice)
    {
        var value = DrawValue(dice);
        var bytes = Encode(value);
        Same("What was written and read back", ShapeOf(value), ShapeOf(Decode(bytes)));
        return bytes;
    }

    public sealed override bool Accepts(byte[] input)
    {
        try
        {
            Decode(input);
            return true;
        }
        catch (Exception refusal) when (IsRefusal(refusal))
        {
            return false;
        }
    }

    public override void CheckAccepted(byte[] input)
    {
        var value = Decode(input);
        Same("What was accepted, written and read back", ShapeOf(value), ShapeOf(Decode(Encode(value))));
    }

    public sealed override byte[] Mutate(Dice dice, byte[] input, byte[] other)
    {
        var mutated = Damage(dice, input, other);

        // Behind a checksum nothing else would ever be tried.
        if (dice.Below(8) != 0)
            Seal(mutated);
        return mutated;
    }

    protected abstract T DrawValue(Dice dice);

    protected abstract byte[] Encode(T value);

    protected abstract T Decode(byte[] bytes);

    protected abstract bool IsRefusal(Exception exception);

    protected virtual byte[] Damage(Dice dice, byte[] input, byte[] other) => ByteMutations.Mutate(dice, input, other, Words);

    /// <summary>Makes lengths and checksums right again, as far as the format has them.</summary>
    protected virtual void Seal(byte[] mutated)
    {
    }

    protected virtual string ShapeOf(T value) => Shape.Of(value);
}
