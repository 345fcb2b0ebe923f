using Polygraph.Wire.Sql;

namespace Polygraph.Wire.Log;

/// <summary>
/// The payload of a <see cref="PayloadFormat.Logical"/> entry: what a unit did, in the order in which a replica must do it again.
/// <code>
/// payload   := version:byte = 1, operation*, 0x00, result
/// operation := 0x01 text(name) varint(values)                 names the next table, numbered from 0: its images have so many values
///            | 0x02 varint(table) image                       row inserted
///            | 0x03 varint(table) image image                 row updated: before, after
///            | 0x04 varint(table) image                       row deleted
///            | 0x05 text(sql)                                 schema statement
///            | 0x06 text(name) 0x00                           row of sqlite_sequence gone
///            | 0x06 text(name) 0x01 varint(zigzag(value))     row of sqlite_sequence, its value now
///            | 0x07 statement                                 run again, because it writes a virtual table
///            | 0x08                                           VACUUM, whenever the replica finds it convenient
/// statement := flags:byte                                     LogicalStatementFlags; others are refused
///              varint(zigzag(milliseconds))                   what the statement sees as now, since 1970 UTC
///              seed:sixteen bytes                             of random() and randomblob()
///              varint(zigzag(rowid)) varint(changes) varint(totalChanges)   last_insert_rowid(), changes(), total_changes() before it
///              text(table) text(sql) varint(arguments) value*              table: the first virtual table that it writes
/// image     := value*                                         the rowid, if no column is its alias; then every stored column in order
/// value     := 0x01 varint(zigzag(integer))
///            | 0x02 eight bytes, little-endian                REAL by its bits: 0.0 and -0.0 differ
///            | 0x03 varint(length) bytes                      TEXT as SQLite holds it, not checked to be UTF-8
///            | 0x04 varint(length) bytes                      BLOB
///            | 0x05                                           NULL
///            | 0x06                                           only in an image after: as before
/// result    := varint(length) bytes                           LogicalPayloadResult; empty for a unit without an idempotency key
/// varint    := seven bits a byte, lowest first, high bit = more follow; at most ten bytes
/// text      := varint(length) UTF-8
/// </code>
/// The bytes of an image (without 0x06) are also the canonical encoding that row digests are computed over: neither may change without a new
/// version of both.
/// </summary>
public static class LogicalPayload
{
    public const byte Version = 1;

    /// <summary>Values of one image: SQLite allows 32,766 columns at most, and the rowid.</summary>
    public const int ImageValuesMax = 32_767;

    /// <summary>Tables of one payload: SQLite's own limit of schema entries is far above; this one bounds what a damaged record can cost.</summary>
    public const int TablesMax = 65_536;

    /// <summary>Parameters of one statement: SQLite's own limit.</summary>
    public const int ArgumentsMax = 32_766;

    internal const byte TagSame = 6;
}

/// <summary>What an operation of a logical payload does. The numbers are the format's.</summary>
public enum LogicalOperationKind : byte
{
    End = 0,
    Table = 1,
    Insert = 2,
    Update = 3,
    Delete = 4,
    Schema = 5,
    Sequence = 6,
    Statement = 7,
    Vacuum = 8,
}

/// <summary>A table that a payload names.</summary>
/// <param name="Name">Its name at that place of the payload.</param>
/// <param name="ValueCount">How many values its images have.</param>
public readonly record struct LogicalTable(string Name, int ValueCount);

/// <summary>One operation, as read. The arrays belong to the reader and hold until it reads on.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Table">Which table, for row operations.</param>
/// <param name="Before">The row before; empty for an insert.</param>
/// <param name="After">The row after; empty for a delete.</param>
/// <param name="Text">The statement of a <see cref="LogicalOperationKind.Schema"/>, the table's name of a sequence row.</param>
/// <param name="Sequence">The value of a sequence row, null if it is gone.</param>
/// <param name="Statement">What a <see cref="LogicalOperationKind.Statement"/> runs.</param>
public readonly record struct LogicalOperation(
    LogicalOperationKind Kind,
    int Table,
    ReadOnlyMemory<SqlValue> Before,
    ReadOnlyMemory<SqlValue> After,
    string? Text = null,
    long? Sequence = null,
    LogicalStatement? Statement = null);

/// <summary>A payload that is not what its format says. The entry must not be applied.</summary>
public sealed class LogicalPayloadException(string message) : Exception("The logical payload is damaged: " + message);
