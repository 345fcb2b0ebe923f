using Polygraph.Protocol;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Sql;

/// <summary>The bytes of a unit's result: a kind for each step, then its fields. A row has no length: its columns are known.</summary>
internal static class UnitResultCodec
{
    private enum StepKind : byte
    {
        Rows = 1,
        Failed = 2,
        Batch = 3,
        Sequence = 4,
        Described = 5,
        Autocommit = 6,
    }

    private enum ItemKind : byte
    {
        Skipped = 0,
        Result = 1,
        Error = 2,
    }

    public static void Write(UnitResult result, WireWriter writer)
    {
        writer.Count(result.Steps.Count, WireLimits.StepsMax, "results");
        foreach (var step in result.Steps)
            WriteStep(step, writer);
    }

    public static UnitResult Read(ref WireReader reader)
    {
        var steps = new StepResult[reader.Count(WireLimits.StepsMax, 1, "results")];
        for (var i = 0; i < steps.Length; i++)
            steps[i] = ReadStep(ref reader);
        return new(steps);
    }

    private static void WriteStep(StepResult step, WireWriter writer)
    {
        switch (step)
        {
            case StepResult.Rows rows:
                writer.Byte((byte)StepKind.Rows);
                WriteStatement(rows.Result, writer);
                break;
            case StepResult.Failed failed:
                writer.Byte((byte)StepKind.Failed);
                WriteError(failed.Error, writer);
                break;
            case StepResult.Batch batch:
                writer.Byte((byte)StepKind.Batch);
                WriteBatch(batch, writer);
                break;
            case StepResult.Sequence:
                writer.Byte((byte)StepKind.Sequence);
                break;
            case StepResult.Described described:
                writer.Byte((byte)StepKind.Described);
                WriteDescription(described.Description, writer);
                break;
            case StepResult.Autocommit autocommit:
                writer.Byte((byte)StepKind.Autocommit);
                writer.Flag(autocommit.IsAutocommit);
                break;
            default:
                throw new InvariantViolationException($"Result {step.GetType()} has no encoding.");
        }
    }

    private static StepResult ReadStep(ref WireReader reader)
    {
        var kind = reader.Byte("a result's kind");
        return (StepKind)kind switch
        {
            StepKind.Rows => new StepResult.Rows(ReadStatement(ref reader)),
            StepKind.Failed => new StepResult.Failed(ReadError(ref reader)),
            StepKind.Batch => ReadBatch(ref reader),
            StepKind.Sequence => new StepResult.Sequence(),
            StepKind.Described => new StepResult.Described(ReadDescription(ref reader)),
            StepKind.Autocommit => new StepResult.Autocommit(reader.Flag("autocommit")),
            _ => throw WireReader.Unknown("a result's kind", kind),
        };
    }

    private static void WriteBatch(StepResult.Batch batch, WireWriter writer)
    {
        Invariant.Holds(batch.Results.Count == batch.Errors.Count, "both lists of a batch's answer are as long as the batch");
        writer.Count(batch.Results.Count, WireLimits.StepsMax, "items of a batch");
        for (var i = 0; i < batch.Results.Count; i++)
        {
            if (batch.Results[i] is { } result)
            {
                writer.Byte((byte)ItemKind.Result);
                WriteStatement(result, writer);
            }
            else if (batch.Errors[i] is { } error)
            {
                writer.Byte((byte)ItemKind.Error);
                WriteError(error, writer);
            }
            else
            {
                writer.Byte((byte)ItemKind.Skipped);
            }
        }
    }

    private static StepResult.Batch ReadBatch(ref WireReader reader)
    {
        var count = reader.Count(WireLimits.StepsMax, 1, "items of a batch");
        var results = new StatementResult?[count];
        var errors = new SqlError?[count];
        for (var i = 0; i < count; i++)
        {
            switch (reader.Known<ItemKind>("a batch item's kind"))
            {
                case ItemKind.Result:
                    results[i] = ReadStatement(ref reader);
                    break;
                case ItemKind.Error:
                    errors[i] = ReadError(ref reader);
                    break;
            }
        }

        return new(results, errors);
    }

    private static void WriteStatement(StatementResult result, WireWriter writer)
    {
        WriteColumns(result.Columns, writer);
        writer.SignedVarint(result.RowsAffected);
        writer.Flag(result.LastInsertRowid is not null);
        if (result.LastInsertRowid is { } rowid)
            writer.SignedVarint(rowid);
        writer.Count(result.Rows.Count, WireLimits.ForwardBytesMax, "rows");
        for (var i = 0; i < result.Rows.Count; i++)
        {
            var row = result.Rows[i];
            Invariant.Holds(row.Length == result.Columns.Count && row.Length > 0, "a row has one value a column");
            for (var column = 0; column < row.Length; column++)
                SqlValueCodec.Write(row[column], writer);
        }
    }

    private static StatementResult ReadStatement(ref WireReader reader)
    {
        var columns = ReadColumns(ref reader);
        var affected = reader.SignedVarint("rows affected");
        long? rowid = reader.Flag("has a rowid") ? reader.SignedVarint("last rowid") : null;
        var count = reader.Count(WireLimits.ForwardBytesMax, Math.Max(1, columns.Length), "rows");
        if (count > 0 && columns.Length == 0)
            throw new WireFormatException($"{count} rows without columns.");

        // A list that grows: a row takes a byte a column on the wire and many more in memory.
        var rows = new List<SqlValue[]>(Math.Min(count, 1024));
        for (var i = 0; i < count; i++)
        {
            var row = new SqlValue[columns.Length];
            for (var column = 0; column < row.Length; column++)
                row[column] = SqlValueCodec.Read(ref reader);
            rows.Add(row);
        }

        return new(columns, rows, affected, rowid);
    }

    private static void WriteColumns(IReadOnlyList<SqlColumn> columns, WireWriter writer)
    {
        writer.Count(columns.Count, WireLimits.ColumnsMax, "columns");
        for (var i = 0; i < columns.Count; i++)
        {
            writer.Text(columns[i].Name, WireLimits.MessageBytesMax, "a column's name");
            writer.OptionalText(columns[i].DeclaredType, WireLimits.MessageBytesMax, "a column's type");
        }
    }

    private static SqlColumn[] ReadColumns(ref WireReader reader)
    {
        const int ColumnBytesMin = 2;
        var columns = new SqlColumn[reader.Count(WireLimits.ColumnsMax, ColumnBytesMin, "columns")];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = new(
                reader.Text(WireLimits.MessageBytesMax, "a column's name"), reader.OptionalText(WireLimits.MessageBytesMax, "a column's type"));
        }

        return columns;
    }

    private static void WriteDescription(StatementDescription description, WireWriter writer)
    {
        writer.Count(description.Parameters.Count, WireLimits.ColumnsMax, "parameters");
        for (var i = 0; i < description.Parameters.Count; i++)
            writer.OptionalText(description.Parameters[i], WireLimits.MessageBytesMax, "a parameter's name");
        WriteColumns(description.Columns, writer);
        writer.Flag(description.IsExplain);
        writer.Flag(description.IsReadOnly);
    }

    private static StatementDescription ReadDescription(ref WireReader reader)
    {
        var parameters = new string?[reader.Count(WireLimits.ColumnsMax, 1, "parameters")];
        for (var i = 0; i < parameters.Length; i++)
            parameters[i] = reader.OptionalText(WireLimits.MessageBytesMax, "a parameter's name");
        return new(parameters, ReadColumns(ref reader), reader.Flag("is an EXPLAIN"), reader.Flag("is read-only"));
    }

    private static void WriteError(SqlError error, WireWriter writer)
    {
        writer.Text(error.Code, WireLimits.ShortTextBytesMax, "code");
        writer.Text(error.Message, WireLimits.MessageBytesMax, "message");
        writer.OptionalText(error.ExtendedCode, WireLimits.ShortTextBytesMax, "extended code");
    }

    private static SqlError ReadError(ref WireReader reader)
        => new(
            reader.Text(WireLimits.ShortTextBytesMax, "code"),
            reader.Text(WireLimits.MessageBytesMax, "message"),
            reader.OptionalText(WireLimits.ShortTextBytesMax, "extended code"));
}
