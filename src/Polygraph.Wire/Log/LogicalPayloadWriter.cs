using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Log;

/// <summary>
/// A growing buffer to which a payload is written while its unit runs. Can be cut back to an earlier <see cref="Length"/>, because a unit's
/// parts can be undone. Reused from unit to unit; one owner.
/// </summary>
public sealed class LogicalPayloadWriter
{
    private const int InitialBytes = 4096;
    private const int KeptBytesMax = 1 << 20;

    private byte[] _bytes;
    private int _length;

    /// <param name="initialBytes">What the buffer begins with; it grows as needed.</param>
    public LogicalPayloadWriter(int initialBytes = InitialBytes) => _bytes = new byte[initialBytes];

    /// <summary>How much was written.</summary>
    public int Length => _length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>What was written from <paramref name="start"/> on.</summary>
    public ReadOnlySpan<byte> From(int start) => _bytes.AsSpan(start, _length - start);

    /// <summary>Forgets everything, and gives back what an unusually large unit took.</summary>
    public void Clear()
    {
        _length = 0;
        if (_bytes.Length > KeptBytesMax)
            _bytes = new byte[InitialBytes];
    }

    /// <summary>Forgets what was written after the buffer was so long.</summary>
    public void CutTo(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _length);
        _length = length;
    }

    public void WriteVersion() => WriteByte(LogicalPayload.Version);

    public void WriteTable(string name, int valueCount)
    {
        WriteByte((byte)LogicalOperationKind.Table);
        WriteText(name);
        WriteVarint((ulong)valueCount);
    }

    /// <summary>Begins a row operation; its images follow.</summary>
    public void WriteRowOperation(LogicalOperationKind kind, int table)
    {
        WriteByte((byte)kind);
        WriteVarint((ulong)table);
    }

    public void WriteSchema(string sql)
    {
        WriteByte((byte)LogicalOperationKind.Schema);
        WriteText(sql);
    }

    public void WriteSequence(string table, long? value)
    {
        WriteByte((byte)LogicalOperationKind.Sequence);
        WriteText(table);
        WriteByte(value is null ? (byte)0 : (byte)1);
        if (value is { } present)
            WriteVarint(ZigZag(present));
    }

    public void WriteStatement(LogicalStatement statement)
    {
        WriteByte((byte)LogicalOperationKind.Statement);
        WriteByte((byte)statement.Flags);
        WriteVarint(ZigZag(statement.TimeMilliseconds));
        WriteBytes(statement.Seed.Span);
        WriteVarint(ZigZag(statement.LastInsertRowid));
        WriteVarint((ulong)statement.Changes);
        WriteVarint((ulong)statement.TotalChanges);
        WriteText(statement.Table);
        WriteText(statement.Sql);
        WriteVarint((ulong)statement.Arguments.Length);
        foreach (var argument in statement.Arguments.Span)
            WriteValue(argument);
    }

    public void WriteVacuum() => WriteByte((byte)LogicalOperationKind.Vacuum);

    /// <summary>Ends the operations and adds what is kept of the unit's answer.</summary>
    public void WriteEnd(ReadOnlySpan<byte> result)
    {
        WriteByte((byte)LogicalOperationKind.End);
        WriteVarint((ulong)result.Length);
        WriteBytes(result);
    }

    public void WriteInteger(long value)
    {
        Ensure(11);
        _bytes[_length++] = (byte)Sql.SqlValueKind.Integer;
        WriteVarintUnchecked(ZigZag(value));
    }

    public void WriteReal(double value)
    {
        Ensure(9);
        _bytes[_length] = (byte)Sql.SqlValueKind.Real;
        BinaryPrimitives.WriteDoubleLittleEndian(_bytes.AsSpan(_length + 1), value);
        _length += 9;
    }

    public void WriteNull() => WriteByte((byte)Sql.SqlValueKind.Null);

    /// <summary>In an image after: the value is the same as before.</summary>
    public void WriteSame() => WriteByte(LogicalPayload.TagSame);

    /// <summary>What the largest value that may be takes: its kind, its length in four bytes of seven bits, and itself.</summary>
    public const int LargestValueBytes = 1 + 4 + WireLimits.ValueBytesMax;

    public void WriteTextOrBlob(Sql.SqlValueKind kind, ReadOnlySpan<byte> value)
    {
        WriteByte((byte)kind);
        WriteVarint((ulong)value.Length);
        WriteBytes(value);
    }

    public void WriteValue(Sql.SqlValue value)
    {
        switch (value.Kind)
        {
            case Sql.SqlValueKind.Integer:
                WriteInteger(value.Integer);
                break;
            case Sql.SqlValueKind.Real:
                WriteReal(value.Real);
                break;
            case Sql.SqlValueKind.Null:
                WriteNull();
                break;
            default:
                WriteTextOrBlob(value.Kind, value.Bytes.Span);
                break;
        }
    }

    public void WriteByte(byte value)
    {
        Ensure(1);
        _bytes[_length++] = value;
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        Ensure(value.Length);
        value.CopyTo(_bytes.AsSpan(_length));
        _length += value.Length;
    }

    public void WriteText(string text)
    {
        WriteVarint((ulong)Encoding.UTF8.GetByteCount(text));
        Ensure(Encoding.UTF8.GetMaxByteCount(text.Length));
        _length += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(_length));
    }

    public void WriteVarint(ulong value)
    {
        Ensure(10);
        WriteVarintUnchecked(value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    private void WriteVarintUnchecked(ulong value)
    {
        while (value >= 0x80)
        {
            _bytes[_length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _bytes[_length++] = (byte)value;
    }

    private void Ensure(int more)
    {
        if (_bytes.Length - _length < more)
            Array.Resize(ref _bytes, checked((int)Math.Min(Array.MaxLength, Math.Max(_bytes.Length * 2L, (long)_length + more))));
    }
}
