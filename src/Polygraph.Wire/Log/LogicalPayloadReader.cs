using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Polygraph.Wire.Sql;

namespace Polygraph.Wire.Log;

/// <summary>
/// Reads a logical payload operation by operation, without copying values: they point into the payload. Whatever the bytes are, it ends, and
/// takes no more memory than a small multiple of their number; what is not well formed throws <see cref="LogicalPayloadException"/>.
/// </summary>
public sealed class LogicalPayloadReader
{
    private readonly ReadOnlyMemory<byte> _payload;

    // The array under it, whose bytes are read one by one: a Memory would look for them at each.
    private readonly ArraySegment<byte> _bytes;
    private readonly List<LogicalTable> _tables = [];
    private SqlValue[] _before = [];
    private SqlValue[] _after = [];
    private int _position;
    private bool _ended;

    public LogicalPayloadReader(ReadOnlyMemory<byte> payload)
    {
        _payload = payload;
        _bytes = MemoryMarshal.TryGetArray(payload, out var bytes) ? bytes : payload.ToArray();
        var version = ReadByte();
        if (version != LogicalPayload.Version)
            throw new LogicalPayloadException($"its version is {version}; this node reads version {LogicalPayload.Version}.");
    }

    /// <summary>The tables named so far.</summary>
    public IReadOnlyList<LogicalTable> Tables => _tables;

    /// <summary>What is kept of the unit's answer; empty if nothing is. Known once <see cref="Read"/> has returned false.</summary>
    public ReadOnlyMemory<byte> Result { get; private set; }

    /// <summary>Reads the next operation that is to be done; false at the end.</summary>
    public bool Read(out LogicalOperation operation)
    {
        operation = default;
        if (_ended)
            return false;
        while (true)
        {
            var kind = (LogicalOperationKind)ReadByte();
            switch (kind)
            {
                case LogicalOperationKind.Table:
                    ReadTable();
                    continue;
                case LogicalOperationKind.Insert or LogicalOperationKind.Update or LogicalOperationKind.Delete:
                    operation = ReadRow(kind);
                    return true;
                case LogicalOperationKind.Schema:
                    operation = new LogicalOperation(kind, -1, default, default, ReadText());
                    return true;
                case LogicalOperationKind.Sequence:
                    operation = new LogicalOperation(kind, -1, default, default, ReadText(), ReadSequence());
                    return true;
                case LogicalOperationKind.Statement:
                    operation = new LogicalOperation(kind, -1, default, default, Statement: ReadStatement());
                    return true;
                case LogicalOperationKind.Vacuum:
                    operation = new LogicalOperation(kind, -1, default, default);
                    return true;
                case LogicalOperationKind.End:
                    Result = ReadBytes();
                    _ended = true;
                    return _position == _payload.Length ? false : throw Damaged("bytes follow its end");
                default:
                    throw Damaged($"operation {(byte)kind} is unknown");
            }
        }
    }

    private void ReadTable()
    {
        var name = ReadText();
        var values = ReadVarint();
        if (values is 0 or > LogicalPayload.ImageValuesMax || _tables.Count == LogicalPayload.TablesMax)
            throw Damaged($"table \"{name}\" would have {values} values");
        _tables.Add(new LogicalTable(name, (int)values));
    }

    private LogicalOperation ReadRow(LogicalOperationKind kind)
    {
        var number = ReadVarint();
        if (number >= (ulong)_tables.Count)
            throw Damaged($"table number {number} was not named");
        var table = (int)number;
        var before = kind == LogicalOperationKind.Insert ? default : ReadImage(ref _before, table, default);
        var after = kind == LogicalOperationKind.Delete ? default : ReadImage(ref _after, table, before);
        return new LogicalOperation(kind, table, before, after);
    }

    private LogicalStatement ReadStatement()
    {
        const LogicalStatementFlags Known = LogicalStatementFlags.ForeignKeys | LogicalStatementFlags.RecursiveTriggers
            | LogicalStatementFlags.ReadsChanges | LogicalStatementFlags.Fails;
        var flags = (LogicalStatementFlags)ReadByte();
        if ((flags & ~Known) != 0)
            throw Damaged($"statement flags {(byte)flags} are unknown");
        return new LogicalStatement
        {
            Flags = flags,
            TimeMilliseconds = ReadZigZag(),
            Seed = Take(LogicalStatement.SeedBytes),
            LastInsertRowid = ReadZigZag(),
            Changes = ReadCount(),
            TotalChanges = ReadCount(),
            Table = ReadText(),
            Sql = ReadText(),
            Arguments = ReadArguments(),
        };
    }

    private SqlValue[] ReadArguments()
    {
        var count = ReadVarint();
        if (count > LogicalPayload.ArgumentsMax || count > (ulong)(_payload.Length - _position))
            throw Damaged($"a statement would have {count} arguments");
        var arguments = new SqlValue[count];
        for (var i = 0; i < arguments.Length; i++)
            arguments[i] = ReadValue(null);
        return arguments;
    }

    private long ReadCount()
        => ReadVarint() is var count && count <= long.MaxValue ? (long)count : throw Damaged($"{count} is no count");

    private ReadOnlyMemory<SqlValue> ReadImage(ref SqlValue[] values, int table, ReadOnlyMemory<SqlValue> before)
    {
        var count = _tables[table].ValueCount;
        // Every value takes a byte, so a count that the rest of the payload cannot hold costs nothing.
        if (count > _payload.Length - _position)
            throw Damaged("an image goes past its end");
        if (values.Length < count)
            values = new SqlValue[count];
        for (var i = 0; i < count; i++)
            values[i] = ReadValue(before.IsEmpty ? null : before.Span[i]);
        return values.AsMemory(0, count);
    }

    private SqlValue ReadValue(SqlValue? before)
    {
        var tag = ReadByte();
        switch (tag)
        {
            case (byte)SqlValueKind.Integer:
                return SqlValue.FromInteger(ReadZigZag());
            case (byte)SqlValueKind.Real:
                return SqlValue.FromReal(BinaryPrimitives.ReadDoubleLittleEndian(Take(8).Span));
            case (byte)SqlValueKind.Text:
                return SqlValue.FromUtf8(ReadBytes());
            case (byte)SqlValueKind.Blob:
                return SqlValue.FromBlob(ReadBytes());
            case (byte)SqlValueKind.Null:
                return SqlValue.Null;
            case LogicalPayload.TagSame when before is { } same:
                return same;
            default:
                throw Damaged($"value tag {tag} is unknown here");
        }
    }

    private long? ReadSequence()
        => ReadByte() switch
        {
            0 => null,
            1 => ReadZigZag(),
            var other => throw Damaged($"sequence mark {other} is unknown"),
        };

    private long ReadZigZag()
    {
        var value = ReadVarint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private string ReadText() => Encoding.UTF8.GetString(ReadBytes().Span);

    private ReadOnlyMemory<byte> ReadBytes()
    {
        var length = ReadVarint();
        return length <= (ulong)(_payload.Length - _position) ? Take((int)length) : throw Damaged("a length goes past its end");
    }

    private ReadOnlyMemory<byte> Take(int count)
    {
        if (count > _payload.Length - _position)
            throw Damaged("it ends too early");
        var taken = _payload.Slice(_position, count);
        _position += count;
        return taken;
    }

    private byte ReadByte()
        => _position < _bytes.Count ? _bytes.Array![_bytes.Offset + _position++] : throw Damaged("it ends too early");

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = ReadByte();
            // The tenth byte has one bit to give.
            if (shift == 63 && next > 1)
                break;
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }

        throw Damaged("a number is longer than 64 bits");
    }

    private LogicalPayloadException Damaged(string what) => new($"{what} (byte {_position} of {_payload.Length}).");
}
