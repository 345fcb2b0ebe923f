namespace Polygraph.Wire.Sql;

/// <summary>A piece of the answer to a batch that is read as it runs. Closed: the nested types are all there are.</summary>
public abstract record CursorEntry
{
    private CursorEntry()
    {
    }

    /// <summary>An item of the batch has begun; its rows follow.</summary>
    public sealed record Began(int Item, IReadOnlyList<SqlColumn> Columns) : CursorEntry;

    public sealed record Row(SqlValue[] Values) : CursorEntry;

    /// <summary>The item that began last is done.</summary>
    public sealed record Ended(long RowsAffected, long? LastInsertRowid) : CursorEntry;

    /// <summary>An item failed, whether it had begun or not. The batch goes on.</summary>
    public sealed record ItemFailed(int Item, SqlError Error) : CursorEntry;

    /// <summary>Nothing more comes.</summary>
    public sealed record Failed(SqlError Error) : CursorEntry;
}
