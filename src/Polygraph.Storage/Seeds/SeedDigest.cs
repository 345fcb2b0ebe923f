using System.Globalization;
using Polygraph.Protocol;
using Polygraph.Storage.Digests;

namespace Polygraph.Storage.Seeds;

/// <summary>
/// The sum by which nodes see that they hold the same file: the 128-bit hash that rows have, over the whole content. It finds faults and does not resist
/// forgers: for that a client may announce a SHA-256, which the node that takes the file in then computes and compares. It costs less.
/// </summary>
/// <param name="bytes">The length of the file.</param>
public sealed class SeedDigest(long bytes)
{
    /// <summary>Its name in HTTP's <c>Content-Digest</c>; the value is its <see cref="Bytes"/>, the most significant first.</summary>
    public const string HttpName = "polygraph-128";

    /// <summary>The length of the sum.</summary>
    public const int Bytes = 16;

    private const int PieceBytes = 1 << 20;

    private RowHash.Running _hash = new(bytes);

    /// <summary>The digest of a file from where it stands to its end, read once.</summary>
    public static async Task<string> OfAsync(Stream file, CancellationToken cancellation)
    {
        var digest = new SeedDigest(file.Length - file.Position);
        var piece = new byte[PieceBytes];
        for (int read; (read = await file.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false)) > 0;)
            digest.Append(piece.AsSpan(0, read));
        return digest.Complete();
    }

    /// <summary>Adds the next piece. All but the last are multiples of 16 bytes long.</summary>
    /// <exception cref="InvariantViolationException">One that is not is not the last, or there are more bytes than were said.</exception>
    public void Append(ReadOnlySpan<byte> piece) => _hash.Append(piece);

    /// <summary>32 hexadecimal digits, when the whole file was appended.</summary>
    /// <exception cref="InvariantViolationException">It was not.</exception>
    public string Complete() => _hash.End().ToString("x32", CultureInfo.InvariantCulture);
}
