namespace Polygraph.Protocol;

/// <summary>
/// An order-independent digest of a set of rows: the sum, modulo 2^128, of the rows' hashes. Adding a row and taking it away again leaves
/// the digest as it was, so it can be kept row by row. Not cryptographic: it finds faults, not forgers.
/// </summary>
public readonly record struct Digest128(UInt128 Value)
{
    /// <summary>The digest of no rows.</summary>
    public static Digest128 Empty => default;

    /// <summary>The digest with one more row.</summary>
    public static Digest128 operator +(Digest128 digest, UInt128 rowHash) => new(unchecked(digest.Value + rowHash));

    /// <summary>The digest with one row less.</summary>
    public static Digest128 operator -(Digest128 digest, UInt128 rowHash) => new(unchecked(digest.Value - rowHash));

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x32");
}
