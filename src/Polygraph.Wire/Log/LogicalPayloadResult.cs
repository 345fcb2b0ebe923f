using System.Text;
using Polygraph.Wire.Sql;

namespace Polygraph.Wire.Log;

/// <summary>
/// What is kept of a unit's answer for whoever asks again with its idempotency key: counts, rowids and errors, no rows and no columns, but whether there
/// were any.
/// <code>
/// result    := varint(steps) step*
/// step      := 0x00 statement | 0x01 error | 0x02 varint(items) item* | 0x03 (sequence) | 0x04 (describe) | 0x05 flag (autocommit)
/// item      := 0x00 (skipped) | 0x01 statement | 0x02 error
/// statement := varint(rowsAffected) flags [varint(zigzag(lastInsertRowid))]            flags: 1 = has a rowid, 2 = returned columns
/// error     := text(code) text(message) text(extendedCode, may be empty)
/// </code>
/// </summary>
public static class LogicalPayloadResult
{
    /// <summary>
    /// A larger answer (some two thousand statements) is not kept: the duplicate is then answered without counts. It bounds what a key costs
    /// on every replica for as long as keys live.
    /// </summary>
    public const int BytesMax = 8192;

    private const byte FlagRowid = 1;
    private const byte FlagColumns = 2;
    private const int TypicalBytes = 64;
    private const int ErrorMessageMax = 256;

    /// <summary>Encodes; nothing if the result would be longer than <see cref="BytesMax"/>.</summary>
    public static byte[] Encode(UnitResult result)
    {
        var writer = new LogicalPayloadWriter(TypicalBytes);
        writer.WriteVarint((ulong)result.Steps.Count);
        foreach (var step in result.Steps)
            WriteStep(writer, step);
        return writer.Length <= BytesMax ? writer.Written.ToArray() : [];
    }

    /// <summary>Decodes; no bytes are a result without steps.</summary>
    public static UnitResult Decode(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
            return new UnitResult([]);
        var reader = new ResultReader(bytes.Span);
        var steps = new StepResult[reader.Count()];
        for (var i = 0; i < steps.Length; i++)
            steps[i] = ReadStep(ref reader);
        return new UnitResult(steps);
    }

    private static void WriteStep(LogicalPayloadWriter writer, StepResult step)
    {
        switch (step)
        {
            case StepResult.Rows rows:
                writer.WriteByte(0);
                WriteStatement(writer, rows.Result);
                break;
            case StepResult.Failed failed:
                writer.WriteByte(1);
                WriteError(writer, failed.Error);
                break;
            case StepResult.Batch batch:
                writer.WriteByte(2);
                writer.WriteVarint((ulong)batch.Results.Count);
                for (var i = 0; i < batch.Results.Count; i++)
                    WriteItem(writer, batch.Results[i], batch.Errors[i]);
                break;
            case StepResult.Sequence:
                writer.WriteByte(3);
                break;
            case StepResult.Described:
                writer.WriteByte(4);
                break;
            case StepResult.Autocommit autocommit:
                writer.WriteByte(5);
                writer.WriteByte(autocommit.IsAutocommit ? (byte)1 : (byte)0);
                break;
        }
    }

    private static void WriteItem(LogicalPayloadWriter writer, StatementResult? result, SqlError? error)
    {
        writer.WriteByte(result is not null ? (byte)1 : error is not null ? (byte)2 : (byte)0);
        if (result is not null)
            WriteStatement(writer, result);
        else if (error is not null)
            WriteError(writer, error);
    }

    private static void WriteStatement(LogicalPayloadWriter writer, StatementResult result)
    {
        writer.WriteVarint((ulong)result.RowsAffected);
        writer.WriteByte((byte)((result.LastInsertRowid is null ? 0 : FlagRowid) | (result is { Columns.Count: 0, HasItsRows: true } ? 0 : FlagColumns)));
        if (result.LastInsertRowid is { } rowid)
            writer.WriteVarint(LogicalPayloadWriter.ZigZag(rowid));
    }

    private static void WriteError(LogicalPayloadWriter writer, SqlError error)
    {
        writer.WriteText(error.Code);
        writer.WriteText(error.Message.Length <= ErrorMessageMax ? error.Message : error.Message[..ErrorMessageMax]);
        writer.WriteText(error.ExtendedCode ?? "");
    }

    private static StepResult ReadStep(ref ResultReader reader)
        => reader.Byte() switch
        {
            0 => new StepResult.Rows(reader.Statement()),
            1 => new StepResult.Failed(reader.Error()),
            2 => ReadBatch(ref reader),
            3 => new StepResult.Sequence(),
            4 => new StepResult.Described(new StatementDescription([], [], false, false)),
            5 => new StepResult.Autocommit(reader.Byte() != 0),
            var other => throw new LogicalPayloadException($"step {other} of a kept result is unknown."),
        };

    private static StepResult.Batch ReadBatch(ref ResultReader reader)
    {
        var count = reader.Count();
        var results = new StatementResult?[count];
        var errors = new SqlError?[count];
        for (var i = 0; i < count; i++)
        {
            var mark = reader.Byte();
            if (mark == 1)
                results[i] = reader.Statement();
            else if (mark == 2)
                errors[i] = reader.Error();
        }

        return new StepResult.Batch(results, errors);
    }

    private ref struct ResultReader(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        internal byte Byte()
        {
            if (_rest.IsEmpty)
                throw new LogicalPayloadException("a kept result ends too early.");
            var first = _rest[0];
            _rest = _rest[1..];
            return first;
        }

        /// <summary>A count of things that take at least a byte each.</summary>
        internal int Count()
        {
            var count = Varint();
            return count <= (ulong)_rest.Length
                ? (int)count
                : throw new LogicalPayloadException("a count in a kept result goes past its end.");
        }

        internal StatementResult Statement()
        {
            var affected = (long)Varint();
            long? rowid = null;
            var flags = Byte();
            if ((flags & ~(FlagRowid | FlagColumns)) != 0)
                throw new LogicalPayloadException($"flags {flags} of a kept result are unknown.");
            if ((flags & FlagRowid) != 0)
            {
                var value = Varint();
                rowid = (long)(value >> 1) ^ -(long)(value & 1);
            }

            return new StatementResult([], [], affected, rowid) { HasItsRows = (flags & FlagColumns) == 0 };
        }

        internal SqlError Error()
        {
            var (code, message, extended) = (Text(), Text(), Text());
            return new SqlError(code, message, extended.Length == 0 ? null : extended);
        }

        private string Text()
        {
            var length = Count();
            var text = Encoding.UTF8.GetString(_rest[..length]);
            _rest = _rest[length..];
            return text;
        }

        private ulong Varint()
        {
            ulong value = 0;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var next = Byte();
                value |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                    return value;
            }

            throw new LogicalPayloadException("a number in a kept result is longer than 64 bits.");
        }
    }
}
