using System.Buffers.Binary;
using System.Text;
using Polygraph.Protocol;

namespace Polygraph.Wire.Log;

/// <summary>Reads an entry's header from a span that holds nothing else. Every length is checked against what is left before it is used.</summary>
internal ref struct EntryHeaderReader
{
    private ReadOnlySpan<byte> _rest;

    private EntryHeaderReader(ReadOnlySpan<byte> header) => _rest = header;

    public static EntryHeader Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new EntryHeaderReader(bytes);
        var header = reader.Fixed() with
        {
            Session = reader.Text("session"),
            IdempotencyKey = reader.Text("idempotency key"),
            Principal = reader.Text("principal") ?? throw new EntryFormatException("The entry names no principal."),
            Digests = reader.Digests(),
            Dependencies = reader.Dependencies(),
            Origins = reader.Origins(),
        };

        // A newer format that says we may read it can hold more fields behind those that we know; our own cannot.
        if (header.FormatVersion <= EntryHeader.CurrentFormat && !reader._rest.IsEmpty)
            throw new EntryFormatException($"The entry's header has {reader._rest.Length} bytes too many.");
        return header;
    }

    private EntryHeader Fixed()
    {
        var format = Byte();
        var oldestReader = Byte();
        var payload = Known<PayloadFormat>(Byte(), "payload format");
        var ack = Known<AckLevel>(Byte(), "ack level");
        UInt32(); // The header's own length, which the codec has used to cut the span.
        var header = new EntryHeader
        {
            FormatVersion = format,
            OldestReader = oldestReader,
            Payload = payload,
            AckRequested = ack,
            Position = new(new Term(UInt64()), new LogIndex(UInt64())),
            WallTimeMicroseconds = (long)UInt64(),
            HybridTime = UInt64(),
            RequestHash = UInt128(),
            EncryptionKeyId = UInt32(),
        };
        var flags = UInt32();
        return flags == 0
            ? header
            : throw new EntryFormatException($"The entry has flags 0x{flags:x} that this version does not know. Upgrade this node.");
    }

    private static T Known<T>(byte value, string field)
        where T : struct, Enum
    {
        var known = (T)Enum.ToObject(typeof(T), value);
        return Enum.IsDefined(known)
            ? known
            : throw new EntryFormatException($"The entry has {field} {value}, which this version does not know. Upgrade this node.");
    }

    private TableDigest[] Digests()
    {
        var digests = new TableDigest[Count(EntryCodec.TableDigestBytesMin, "table digests")];
        for (var i = 0; i < digests.Length; i++)
        {
            var table = Text("table name") ?? throw new EntryFormatException("The entry has a digest without a table.");
            digests[i] = new(table, new Digest128(UInt128()));
        }

        return digests;
    }

    private CausalDependency[] Dependencies()
    {
        var dependencies = new CausalDependency[Count(EntryCodec.DependencyBytes, "dependencies")];
        for (var i = 0; i < dependencies.Length; i++)
            dependencies[i] = new(new GroupId(UInt32()), new(new Term(UInt64()), new LogIndex(UInt64())));
        return dependencies;
    }

    private RowOrigin[] Origins()
    {
        var origins = new RowOrigin[Count(EntryCodec.OriginBytes, "row origins")];
        for (var i = 0; i < origins.Length; i++)
            origins[i] = new(UInt64(), UInt64());
        return origins;
    }

    /// <summary>A count that the bytes left can hold, so that a malformed one cannot make us allocate more than the record is long.</summary>
    private int Count(int itemBytesMin, string what)
    {
        var count = UInt32();
        return count <= (uint)(_rest.Length / itemBytesMin)
            ? (int)count
            : throw new EntryFormatException($"The entry claims {count} {what} in {_rest.Length} bytes.");
    }

    private string? Text(string field)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort)));
        if (length == EntryCodec.NoString)
            return null;
        try
        {
            return EntryCodec.StrictUtf8.GetString(Take(length));
        }
        catch (DecoderFallbackException e)
        {
            throw new EntryFormatException($"The entry's {field} is not UTF-8.", e);
        }
    }

    private byte Byte() => Take(1)[0];

    private uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    private ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    private UInt128 UInt128() => BinaryPrimitives.ReadUInt128LittleEndian(Take(16));

    private ReadOnlySpan<byte> Take(int bytes)
    {
        if (bytes > _rest.Length)
            throw new EntryFormatException($"The entry's header ends {bytes - _rest.Length} bytes too early.");
        var taken = _rest[..bytes];
        _rest = _rest[bytes..];
        return taken;
    }
}
