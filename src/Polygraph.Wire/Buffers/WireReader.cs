using System.Buffers.Binary;
using System.Text;
using Polygraph.Protocol;

namespace Polygraph.Wire.Buffers;

/// <summary>
/// Reads the fields of one message. Trusts nothing: every length is checked against a named limit and against the bytes that are left before
/// it is used, and whatever the bytes are, only <see cref="WireFormatException"/> is thrown. Bytes are handed out as slices, not copies.
/// </summary>
public ref struct WireReader
{
    internal static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlyMemory<byte> _memory;
    private readonly ReadOnlySpan<byte> _span;
    private int _offset;

    /// <summary>Reads <paramref name="message"/>, which must not change while anything that was read from it is in use.</summary>
    public WireReader(ReadOnlyMemory<byte> message)
    {
        _memory = message;
        _span = message.Span;
    }

    /// <summary>How many bytes are left.</summary>
    public readonly int Remaining => _span.Length - _offset;

    public byte Byte(string field) => Take(1, field)[0];

    public bool Flag(string field)
        => Byte(field) switch
        {
            0 => false,
            1 => true,
            var other => throw new WireFormatException($"{field} is {other}; it must be 0 or 1."),
        };

    public ushort UInt16(string field) => BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort), field));

    public uint UInt32(string field) => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint), field));

    public ulong UInt64(string field) => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong), field));

    public UInt128 UInt128(string field) => BinaryPrimitives.ReadUInt128LittleEndian(Take(16, field));

    /// <summary>An unsigned number, seven bits a byte, the lowest first. Each number has one encoding: a longer one is refused.</summary>
    public ulong Varint(string field)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte(field);
            var bits = next & 0x7Ful;
            if (shift == 63 && bits > 1)
                throw new WireFormatException($"{field} does not fit 64 bits.");
            value |= bits << shift;
            if ((next & 0x80) != 0)
                continue;
            return next != 0 || shift == 0 ? value : throw new WireFormatException($"{field} is encoded with more bytes than it needs.");
        }

        throw new WireFormatException($"{field} does not end within 10 bytes.");
    }

    /// <summary>A signed number: the sign in the lowest bit.</summary>
    public long SignedVarint(string field)
    {
        var raw = Varint(field);
        return (long)(raw >> 1) ^ -(long)(raw & 1);
    }

    /// <summary>A count of items that follow, each of at least <paramref name="itemBytesMin"/> bytes.</summary>
    public int Count(int max, int itemBytesMin, string field)
    {
        var count = Varint(field);
        if (count > (ulong)max)
            throw new WireFormatException($"{field}: {count}, and the limit is {max}.");
        return count <= (ulong)(Remaining / itemBytesMin)
            ? (int)count
            : throw new WireFormatException($"{field}: {count}, which {Remaining} bytes cannot hold.");
    }

    /// <summary>Bytes with their length before them, as a slice of the message.</summary>
    public ReadOnlyMemory<byte> Bytes(int max, string field)
    {
        var length = Count(max, 1, field);
        var slice = _memory.Slice(_offset, length);
        _offset += length;
        return slice;
    }

    /// <summary>A text in UTF-8 with its length before it.</summary>
    public string Text(int max, string field)
    {
        var bytes = Bytes(max, field);
        try
        {
            return StrictUtf8.GetString(bytes.Span);
        }
        catch (DecoderFallbackException e)
        {
            throw new WireFormatException($"{field} is not UTF-8.", e);
        }
    }

    public string? OptionalText(int max, string field) => Flag(field) ? Text(max, field) : null;

    /// <summary>The bytes up to the end of the message.</summary>
    public ReadOnlyMemory<byte> Rest()
    {
        var rest = _memory[_offset..];
        _offset = _span.Length;
        return rest;
    }

    public NodeId Node(string field)
    {
        var name = Text(WireLimits.NameBytesMax, field);
        return name.Length > 0 ? new NodeId(name) : throw new WireFormatException($"{field} is an empty name.");
    }

    /// <summary>A node, or none.</summary>
    public NodeId OptionalNode(string field) => Flag(field) ? Node(field) : NodeId.None;

    public Term Term(string field) => new(PositionPart(field));

    public LogIndex Index(string field) => new(PositionPart(field));

    public Position Position(string field) => new(Term(field), Index(field));

    public TimeSpan Duration(string field)
    {
        var ticks = Varint(field);
        return ticks <= (ulong)WireLimits.DurationMax.Ticks
            ? new TimeSpan((long)ticks)
            : throw new WireFormatException($"{field} is longer than the limit of {WireLimits.DurationMax.TotalDays} days.");
    }

    public TimeSpan? OptionalDuration(string field) => Flag(field) ? Duration(field) : null;

    /// <summary>A byte that must be one of the values of an enum.</summary>
    public T Known<T>(string field)
        where T : struct, Enum
    {
        var number = Byte(field);
        var known = (T)Enum.ToObject(typeof(T), number);
        return Enum.IsDefined(known) ? known : throw Unknown(field, number);
    }

    /// <summary>Everything must have been read: bytes left over mean that the two sides do not mean the same message.</summary>
    public readonly void End(string message)
    {
        if (Remaining != 0)
            throw new WireFormatException($"{message} has {Remaining} bytes too many.");
    }

    internal static WireFormatException Unknown(string field, byte number)
        => new($"{field} is {number}, which this version does not know.");

    private ulong PositionPart(string field)
    {
        var value = Varint(field);
        return value <= WireLimits.PositionMax ? value : throw new WireFormatException($"{field} is {value}; no term or index is that large.");
    }

    private ReadOnlySpan<byte> Take(int bytes, string field)
    {
        if (bytes > Remaining)
            throw new WireFormatException($"The message ends inside {field}.");
        var taken = _span.Slice(_offset, bytes);
        _offset += bytes;
        return taken;
    }
}
