using Polygraph.Protocol;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Digests;

/// <summary>
/// What is the same on all replicas and stands in no table of the users': the texts of the schema, and the two numbers of the file's header that belong to
/// them. A flipped bit in a trigger's text or a default value changes no row, and SQLite's own check finds nothing wrong with it.
/// </summary>
internal static class SchemaDigests
{
    /// <summary>Under which name the digest of the texts is kept; no user's table can have it.</summary>
    internal const string TextsKey = "polygraph_schema";

    /// <summary>As <see cref="TextsKey"/>, of the numbers.</summary>
    internal const string NumbersKey = "polygraph_pragmas";

    /// <summary>What a scan calls them.</summary>
    internal const string TextsName = "sqlite_schema";

    /// <inheritdoc cref="TextsName"/>
    internal const string NumbersName = "PRAGMA user_version, application_id";

    internal static (Digest128 Digest, long Rows) ScanTexts(SqliteConnection connection, CancellationToken cancellation = default)
        => TableScanner.Scan(
            connection, "SELECT type, name, tbl_name, sql FROM main.sqlite_master WHERE tbl_name NOT LIKE 'polygraph#_%' ESCAPE '#'", cancellation);

    internal static (Digest128 Digest, long Rows) ScanNumbers(SqliteConnection connection, CancellationToken cancellation = default)
        => TableScanner.Scan(connection, "SELECT user_version, application_id FROM pragma_user_version, pragma_application_id", cancellation);
}
