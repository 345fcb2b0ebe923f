using System.Globalization;
using Polygraph.Storage.Digests;

namespace Polygraph.Storage.Seeds;

/// <summary>
/// The sum by which nodes see that they hold the same file: the 128-bit hash that rows have, over the whole content. It finds faults and does not resist
/// forgers; that is what the SHA-256 is for, which the node that takes a file in compares with what the client announced. It takes a quarter of the time.
/// </summary>
/// <param name="bytes">The length of the file.</param>
public sealed class SeedDigest(long bytes)
{
    private RowHash.Running _hash = new(bytes);

    /// <summary>Adds the next piece. All but the last are multiples of 16 bytes long.</summary>
    public void Append(ReadOnlySpan<byte> piece) => _hash.Append(piece);

    /// <summary>32 hexadecimal digits, when the whole file was appended.</summary>
    public string Complete() => _hash.End().ToString("x32", CultureInfo.InvariantCulture);
}
