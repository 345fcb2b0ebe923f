using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Polygraph.Protocol;

namespace Polygraph.Wire.Buffers;

/// <summary>
/// Writes messages into a pooled buffer that grows. Not safe for two threads at once. The buffer never leaves: what was written is copied out
/// (<see cref="ToArray"/>) or used before the next write (<see cref="Written"/>).
/// </summary>
/// <param name="bytesMax">More than this throws <see cref="WireLimitException"/>.</param>
public sealed class WireWriter(int bytesMax) : IDisposable
{
    private const int FirstBytes = 256;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);

    /// <summary>How many bytes were written since the last <see cref="Clear"/>.</summary>
    public int Length { get; private set; }

    /// <summary>What was written; valid until the next call.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public byte[] ToArray() => Written.ToArray();

    /// <summary>Forgets what was written. A buffer that one large message has blown up goes back to the pool.</summary>
    public void Clear(int keepBytesMax = int.MaxValue)
    {
        Length = 0;
        if (_buffer.Length <= keepBytesMax)
            return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
    }

    /// <summary>Takes back everything after the first <paramref name="length"/> bytes.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Length);
        Length = length;
    }

    /// <summary>Bytes written earlier, to fill in what was not known then.</summary>
    public Span<byte> Patch(int offset, int count) => _buffer.AsSpan(0, Length).Slice(offset, count);

    /// <summary>Room for <paramref name="count"/> bytes, counted as written.</summary>
    public Span<byte> Reserve(int count)
    {
        if (count > bytesMax - Length)
            throw new WireLimitException($"The message would have more than {bytesMax} bytes, which is the limit.");
        if (count > _buffer.Length - Length)
            Grow(Length + count);
        var room = _buffer.AsSpan(Length, count);
        Length += count;
        return room;
    }

    public void Byte(byte value) => Reserve(1)[0] = value;

    public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Reserve(sizeof(ushort)), value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(sizeof(uint)), value);

    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(sizeof(ulong)), value);

    public void UInt128(UInt128 value) => BinaryPrimitives.WriteUInt128LittleEndian(Reserve(16), value);

    public void Varint(ulong value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        Byte((byte)value);
    }

    public void SignedVarint(long value) => Varint(((ulong)value << 1) ^ (ulong)(value >> 63));

    public void Count(int count, int max, string field)
    {
        if (count > max)
            throw new WireLimitException($"{field}: {count}, and the limit is {max}.");
        Varint((ulong)count);
    }

    public void Bytes(ReadOnlySpan<byte> bytes, int max, string field)
    {
        Count(bytes.Length, max, field);
        Raw(bytes);
    }

    /// <summary>Bytes without their length: the reader must know where they end.</summary>
    public void Raw(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>A text in UTF-8. Half of a surrogate pair becomes U+FFFD, as it does when SQLite is given the text.</summary>
    public void Text(string text, int max, string field)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        Count(bytes, max, field);
        Encoding.UTF8.GetBytes(text, Reserve(bytes));
    }

    public void OptionalText(string? text, int max, string field)
    {
        Flag(text is not null);
        if (text is not null)
            Text(text, max, field);
    }

    public void Node(NodeId node, string field) => Text(node.Value, WireLimits.NameBytesMax, field);

    public void OptionalNode(NodeId node, string field)
    {
        Flag(!node.IsNone);
        if (!node.IsNone)
            Node(node, field);
    }

    public void Term(Term term) => Varint(term.Value);

    public void Index(LogIndex index) => Varint(index.Value);

    public void Position(Position position)
    {
        Term(position.Term);
        Index(position.Index);
    }

    public void Duration(TimeSpan duration, string field)
    {
        if (duration < TimeSpan.Zero || duration > WireLimits.DurationMax)
            throw new WireLimitException($"{field} is {duration}; it must be between 0 and {WireLimits.DurationMax.TotalDays} days.");
        Varint((ulong)duration.Ticks);
    }

    public void OptionalDuration(TimeSpan? duration, string field)
    {
        Flag(duration is not null);
        if (duration is { } known)
            Duration(known, field);
    }

    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        Length = 0;
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Max(needed, Math.Min(2L * _buffer.Length, bytesMax)));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
