using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Polygraph.Node.Http;

/// <summary>
/// The ticket for the next pipeline of a stream: stream id and sequence number, signed with a key that this process drew. Nobody else can
/// make one, and each is good once.
/// </summary>
internal sealed class HranaBaton
{
    private const int SignedLength = 16;
    private const int Length = SignedLength + HMACSHA256.HashSizeInBytes;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes);

    public string Write(ulong streamId, ulong sequence)
    {
        Span<byte> bytes = stackalloc byte[Length];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, streamId);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], sequence);
        HMACSHA256.HashData(_key, bytes[..SignedLength], bytes[SignedLength..]);
        return Convert.ToBase64String(bytes);
    }

    /// <summary>Reads a baton; false if this process did not write it.</summary>
    public bool TryRead(string text, out ulong streamId, out ulong sequence)
    {
        (streamId, sequence) = (0, 0);
        Span<byte> bytes = stackalloc byte[Length];
        Span<byte> signature = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (!Convert.TryFromBase64String(text, bytes, out var length) || length != Length)
            return false;

        HMACSHA256.HashData(_key, bytes[..SignedLength], signature);
        if (!CryptographicOperations.FixedTimeEquals(signature, bytes[SignedLength..]))
            return false;
        streamId = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        sequence = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        return true;
    }
}
