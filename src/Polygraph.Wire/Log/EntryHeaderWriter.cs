using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Polygraph.Wire.Log;

/// <summary>Writes an entry's header into a span that has at least the size that <see cref="Size"/> or <see cref="SizeBound"/> gives for it.</summary>
internal ref struct EntryHeaderWriter
{
    private const int Utf8BytesOfCharMax = 3;
    private const int HeaderBytesAt = 4;

    private Span<byte> _rest;

    private EntryHeaderWriter(Span<byte> destination) => _rest = destination;

    public static long Size(EntryHeader header)
    {
        var size = SizeWithoutStrings(header) + StringSize(header.Session) + StringSize(header.IdempotencyKey) + StringSize(header.Principal);
        for (var i = 0; i < header.Digests.Count; i++)
            size += StringSize(header.Digests[i].Table);
        return size;
    }

    /// <summary>No less than <see cref="Size"/>, without a look at what the strings hold.</summary>
    public static long SizeBound(EntryHeader header)
    {
        var size = SizeWithoutStrings(header) + StringBound(header.Session) + StringBound(header.IdempotencyKey) + StringBound(header.Principal);
        for (var i = 0; i < header.Digests.Count; i++)
            size += StringBound(header.Digests[i].Table);
        return size;
    }

    /// <summary>Returns how many bytes the header has.</summary>
    /// <exception cref="ArgumentException">A string is not Unicode.</exception>
    public static int Write(EntryHeader header, Span<byte> destination)
    {
        var writer = new EntryHeaderWriter(destination);
        writer.Fixed(header);
        writer.Text(header.Session);
        writer.Text(header.IdempotencyKey);
        writer.Text(header.Principal);
        writer.Lists(header);
        var bytes = destination.Length - writer._rest.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[HeaderBytesAt..], (uint)bytes);
        return bytes;
    }

    private static long SizeWithoutStrings(EntryHeader header)
        => EntryCodec.FixedBytes
            + sizeof(uint) + sizeof(uint) + sizeof(uint)
            + (header.Digests.Count * 16L)
            + ((long)header.Dependencies.Count * EntryCodec.DependencyBytes)
            + ((long)header.Origins.Count * EntryCodec.OriginBytes);

    private static long StringBound(string? text) => sizeof(ushort) + ((text?.Length ?? 0L) * Utf8BytesOfCharMax);

    private void Fixed(EntryHeader header)
    {
        Byte(header.FormatVersion);
        Byte(header.OldestReader);
        Byte((byte)header.Payload);
        Byte((byte)header.AckRequested);
        Number(0u); // How many bytes the header has: written when they are.
        Number(header.Position.Term.Value);
        Number(header.Position.Index.Value);
        Number((ulong)header.WallTimeMicroseconds);
        Number(header.HybridTime);
        Number(header.RequestHash);
        Number(header.EncryptionKeyId);
        Number(0u); // Flags: none yet; a reader refuses those that it does not know.
    }

    // Indexed loops: enumerating an interface would allocate, on the path of every write.
    private void Lists(EntryHeader header)
    {
        Number((uint)header.Digests.Count);
        for (var i = 0; i < header.Digests.Count; i++)
        {
            Text(header.Digests[i].Table);
            Number(header.Digests[i].Digest.Value);
        }

        Number((uint)header.Dependencies.Count);
        for (var i = 0; i < header.Dependencies.Count; i++)
        {
            var (group, position) = header.Dependencies[i];
            Number(group.Value);
            Number(position.Term.Value);
            Number(position.Index.Value);
        }

        Number((uint)header.Origins.Count);
        for (var i = 0; i < header.Origins.Count; i++)
        {
            Number(header.Origins[i].Replica);
            Number(header.Origins[i].Counter);
        }
    }

    private static int StringSize(string? text)
    {
        if (text is null)
            return sizeof(ushort);
        var bytes = Utf8Bytes(text);
        return bytes <= EntryCodec.StringBytesMax
            ? sizeof(ushort) + bytes
            : throw new ArgumentException($"A string of an entry's header has {bytes} bytes; the limit is {EntryCodec.StringBytesMax}.");
    }

    private static int Utf8Bytes(string text)
    {
        try
        {
            return EntryCodec.StrictUtf8.GetByteCount(text);
        }
        catch (EncoderFallbackException e)
        {
            throw NotUnicode(e);
        }
    }

    private static ArgumentException NotUnicode(Exception? inner = null)
        => new("A string of an entry's header is not valid Unicode: it holds half of a surrogate pair.", inner);

    private void Text(string? text)
    {
        if (text is null)
        {
            Number(EntryCodec.NoString);
            return;
        }

        if (Utf8.FromUtf16(text, _rest[sizeof(ushort)..], out _, out var bytes, replaceInvalidSequences: false) != OperationStatus.Done)
            throw NotUnicode();
        Number((ushort)bytes);
        _rest = _rest[bytes..];
    }

    private void Byte(byte value)
    {
        _rest[0] = value;
        _rest = _rest[1..];
    }

    private void Number(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_rest, value);
        _rest = _rest[sizeof(ushort)..];
    }

    private void Number(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_rest, value);
        _rest = _rest[sizeof(uint)..];
    }

    private void Number(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_rest, value);
        _rest = _rest[sizeof(ulong)..];
    }

    private void Number(UInt128 value)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(_rest, value);
        _rest = _rest[16..];
    }
}
