using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage;

/// <summary>This node's SQLite library cannot work with the schema that the cluster has agreed on. The replica must not go on.</summary>
public sealed class SchemaNotUnderstoodException : Exception
{
    private SchemaNotUnderstoodException(string what, Exception cause)
        : base(
            $"This node's SQLite {SqliteLibrary.Version} ({SqliteLibrary.Origin}) {what}: {cause.Message}. The schema was changed by a node with another "
            + "SQLite library. Start this node with a library that is at least as new as that of the other nodes (POLYGRAPH_SQLITE=bundled, system or a path).",
            cause)
    {
    }

    /// <summary>The database file cannot be opened.</summary>
    internal static SchemaNotUnderstoodException AtOpen(SqliteException cause)
        => new("cannot read the schema of this database (if it always ran this library, the file is damaged)", cause);

    /// <summary>The rows of a table could not be written.</summary>
    internal static SchemaNotUnderstoodException ForTable(string table, SqliteException cause) => new($"cannot write table \"{table}\"", cause);

    /// <summary>An entry's schema change cannot be run; <paramref name="sql"/> is its text.</summary>
    internal static SchemaNotUnderstoodException ForChange(string sql, SqliteException cause) => new($"cannot run \"{sql}\"", cause);
}
