using Polygraph.Storage.Digests;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Capture;

/// <summary>
/// Runs statements that change the schema, on the leader and on a follower alike, and brings catalog, capture triggers and digests up to
/// date in the same savepoint.
/// </summary>
internal sealed class SchemaChanges(SqliteConnection connection, CaptureLog capture)
{
    private readonly SchemaReader _reader = new(connection, capture.HasHook);

    /// <summary>How many statements were run, of which some may have been undone since.</summary>
    internal long Runs { get; private set; }

    /// <summary>Reads the schema of a database that was just opened, and shows its tables to the capture.</summary>
    internal void Load()
    {
        capture.Catalog = _reader.Read(SchemaCatalog.Empty);
        foreach (var table in capture.Catalog.Tables)
            CreateTriggers(table);
    }

    /// <summary>
    /// Runs a schema statement and records it. Whoever calls has a savepoint open, and cuts the capture back to before if this throws.
    /// </summary>
    internal T Run<T>(string text, Func<T> run)
    {
        Runs++;
        var before = capture.Catalog;
        var firstWord = SqlTokens.FirstWord(text);
        var isAlter = firstWord == "ALTER";
        if (isAlter && capture.Recording)
            RefuseReservedNames(text);
        // SQLite checks and rewrites every trigger that mentions the altered table, and ours would be in its way.
        if (isAlter)
            foreach (var table in before.Tables)
                CaptureTriggers.Drop(connection, table);
        capture.IsChangingSchema = true;
        T result;
        try
        {
            result = run();
        }
        finally
        {
            capture.IsChangingSchema = false;
        }

        // The authorizer sees most of it; SQLite calls a trigger that is made as temp.x one of the table's own database.
        if (capture.Recording && _reader.HasTempObjects())
            throw RefusedSql.TempObjects.Exception("");
        var after = _reader.Read(before);
        Adopt(before, after, everyTable: isAlter);
        if (capture.Recording && (after.Version != before.Version || firstWord is "ANALYZE" or "REINDEX" or "PRAGMA"))
            Record(text, before, after);
        return result;
    }

    /// <summary>VACUUM was run: the schema is the same, but SQLite counts it as another.</summary>
    internal void NoteVacuum() => capture.Catalog = _reader.Read(capture.Catalog);

    private void CreateTriggers(TableShape table)
    {
        if (table.HookColumns is null)
            CaptureTriggers.Create(connection, table);
    }

    private void Adopt(SchemaCatalog before, SchemaCatalog after, bool everyTable)
    {
        capture.Catalog = after;
        // A table that only changed its name, or became the shadow of a virtual one, still has triggers under its old number.
        foreach (var table in before.Tables.Where(table => after.Find(table.CaptureId) is null))
            CaptureTriggers.Drop(connection, table);
        foreach (var table in after.Tables)
        {
            if (everyTable || before.Find(table.CaptureId) is null)
                CreateTriggers(table);
            if (before.Find(table.Name) is not { } known || !known.HasSameImages(table))
                capture.Book.Set(table.Name, TableScanner.Scan(connection, table).Digest);
        }

        foreach (var table in before.Tables)
            if (after.Find(table.Name) is null)
                capture.Book.Remove(table.Name);
    }

    /// <summary>
    /// A new table is recorded as SQLite keeps its statement, and its rows as rows: what CREATE TABLE AS selects may be different elsewhere.
    /// </summary>
    private void Record(string text, SchemaCatalog before, SchemaCatalog after)
    {
        var created = after.Tables.Where(table => before.Find(table.Name) is null).ToList();
        if (created.Count != 1 || before.Tables.Count + 1 != after.Tables.Count)
        {
            capture.Payload.WriteSchema(text);
            capture.CheckSize();
            return;
        }

        var newTable = created[0];
        capture.Payload.WriteSchema(newTable.Sql);
        capture.CheckSize();
        using var rows = connection.Prepare($"SELECT {string.Join(", ", newTable.Values)} FROM main.{newTable.QuotedName}");
        while (rows.Step())
        {
            capture.BeginScannedInsert(newTable);
            RowImage.Write(capture.Payload, rows, newTable.Values.Count);
            capture.CheckSize();
        }
    }

    /// <summary>The authorizer is not told the new name in RENAME TO, and by old versions of SQLite nothing at all of DROP COLUMN.</summary>
    private static void RefuseReservedNames(string text)
    {
        var tokens = new SqlTokens(text);
        while (tokens.Read())
            if (tokens.Current.Trim("\"`[]'").ToString() is var name && SqlName.IsOwn(name))
                throw RefusedSql.ReservedName.Exception(name);
    }
}
