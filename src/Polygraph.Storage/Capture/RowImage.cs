using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Capture;

/// <summary>Writes values into an image, from where SQLite shows them, and finds their ends in a written one.</summary>
internal static unsafe class RowImage
{
    // 2^47.
    private const double HiddenIntegersEnd = 140_737_488_355_328.0;

    // 2^63.
    private const double IntegersEnd = 9_223_372_036_854_775_808.0;

    /// <summary>Writes a value in SQLite's memory, as it reads after its column has taken it.</summary>
    internal static void Write(LogicalPayloadWriter writer, nint value, ValueAffinity affinity)
    {
        var kind = (SqlValueKind)NativeMethods.sqlite3_value_type(value);
        switch (kind)
        {
            case SqlValueKind.Real when affinity == ValueAffinity.Numeric
                && NativeMethods.sqlite3_value_double(value) is var real && Math.Abs(real) < IntegersEnd && Math.Floor(real) == real:
                writer.WriteInteger((long)real);
                break;
            case SqlValueKind.Integer when affinity == ValueAffinity.Real:
                writer.WriteReal(NativeMethods.sqlite3_value_int64(value));
                break;
            case SqlValueKind.Integer:
                writer.WriteInteger(NativeMethods.sqlite3_value_int64(value));
                break;
            case SqlValueKind.Real:
                writer.WriteReal(NativeMethods.sqlite3_value_double(value));
                break;
            case SqlValueKind.Text or SqlValueKind.Blob:
                writer.WriteTextOrBlob(kind, Bytes(value));
                break;
            default:
                writer.WriteNull();
                break;
        }
    }

    /// <summary>Whether a REAL could be an integer that SQLite computed as REAL: within 48 bits it keeps those as integers.</summary>
    internal static bool MayBeKeptAsInteger(nint value)
        => (SqlValueKind)NativeMethods.sqlite3_value_type(value) == SqlValueKind.Real
            && NativeMethods.sqlite3_value_double(value) is var real && Math.Abs(real) < HiddenIntegersEnd && Math.Floor(real) == real;

    /// <summary>The value that SQLite shows, copied.</summary>
    internal static SqlValue Read(nint value)
    {
        var kind = (SqlValueKind)NativeMethods.sqlite3_value_type(value);
        return kind switch
        {
            SqlValueKind.Integer => SqlValue.FromInteger(NativeMethods.sqlite3_value_int64(value)),
            SqlValueKind.Real => SqlValue.FromReal(NativeMethods.sqlite3_value_double(value)),
            SqlValueKind.Text => SqlValue.FromUtf8(Bytes(value).ToArray()),
            SqlValueKind.Blob => SqlValue.FromBlob(Bytes(value).ToArray()),
            _ => SqlValue.Null,
        };
    }

    /// <summary>The values by which the row of an image is found.</summary>
    internal static SqlValue[] KeyValues(TableShape table, ReadOnlySpan<byte> image)
    {
        var values = Values(table, image);
        return [.. table.Key.Select(part => values[part])];
    }

    /// <summary>The values of an image, decoded.</summary>
    internal static SqlValue[] Values(TableShape table, ReadOnlySpan<byte> image)
    {
        var payload = new LogicalPayloadWriter();
        payload.WriteVersion();
        payload.WriteTable(table.Name, table.Values.Count);
        payload.WriteRowOperation(LogicalOperationKind.Delete, 0);
        payload.WriteBytes(image);
        payload.WriteEnd([]);
        new LogicalPayloadReader(payload.Written.ToArray()).Read(out var operation);
        return operation.Before.ToArray();
    }

    /// <summary>The bytes of a text or blob. Texts too are asked for as blobs, which are not copied to be terminated; every replica is UTF-8.</summary>
    private static ReadOnlySpan<byte> Bytes(nint value)
        => new(NativeMethods.sqlite3_value_blob(value), NativeMethods.sqlite3_value_bytes(value));

    /// <summary>Writes the columns of the row on which a statement stands.</summary>
    internal static void Write(LogicalPayloadWriter writer, SqliteStatement row, int columns)
    {
        for (var i = 0; i < columns; i++)
        {
            switch (row.ColumnKind(i))
            {
                case SqlValueKind.Integer:
                    writer.WriteInteger(row.ColumnInteger(i));
                    break;
                case SqlValueKind.Real:
                    writer.WriteReal(row.ColumnReal(i));
                    break;
                case (SqlValueKind.Text or SqlValueKind.Blob) and var kind:
                    writer.WriteTextOrBlob(kind, row.ColumnBytes(i));
                    break;
                default:
                    writer.WriteNull();
                    break;
            }
        }
    }
}
