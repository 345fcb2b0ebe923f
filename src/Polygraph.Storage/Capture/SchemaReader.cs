using Polygraph.Storage.Execution;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Capture;

/// <summary>Reads the catalog from a connection. Shapes of tables that did not change are kept, and with them their capture triggers.</summary>
internal sealed class SchemaReader(SqliteConnection connection)
{
    private static readonly string[] RowidNames = ["rowid", "_rowid_", "oid"];

    private int _lastCaptureId;

    private readonly record struct SchemaRow(string Type, string Name, string TableName, string Sql);

    private readonly record struct Column(string Name, string Type, int KeyOrdinal, bool IsGenerated);

    /// <summary>The catalog of now. Throws <see cref="RefusedException"/> if a table cannot be replicated.</summary>
    internal SchemaCatalog Read(SchemaCatalog previous)
    {
        var version = ReadVersion();
        if (version == previous.Version)
            return previous;
        var rows = ReadSchema();
        var triggers = rows.Where(row => row.Type == "trigger").ToList();
        var virtualTables = rows
            .Where(row => row.Type == "table").Select(row => VirtualTable.TryRead(row.Name, row.Sql)).OfType<VirtualTable>()
            .OrderBy(table => table.Name, StringComparer.Ordinal).ToList();
        var notRows = virtualTables.SelectMany(table => table.ShadowTables.Append(table.Name)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var tables = rows
            .Where(row => row.Type == "table" && !SqlName.IsOwn(row.Name) && !SqlName.IsSystem(row.Name) && !notRows.Contains(row.Name))
            .Select(row => ShapeOf(row, triggers.Where(trigger => trigger.TableName == row.Name), previous))
            .OrderBy(table => table.Name, StringComparer.Ordinal)
            .ToList();
        return new SchemaCatalog(
            version,
            tables,
            virtualTables,
            triggers.ToDictionary(
                trigger => trigger.Name, trigger => new TriggerTraits(SqlTokens.CanReplace(trigger.Sql), SqlTokens.CanFail(trigger.Sql))));
    }

    private long ReadVersion()
    {
        using var statement = connection.Prepare("PRAGMA main.schema_version");
        return statement.Step() ? statement.ColumnInteger(0) : 0;
    }

    private List<SchemaRow> ReadSchema()
    {
        var rows = new List<SchemaRow>();
        using var statement = connection.Prepare("SELECT type, name, tbl_name, coalesce(sql, '') FROM main.sqlite_master");
        while (statement.Step())
            rows.Add(new SchemaRow(
                statement.ColumnText(0), statement.ColumnText(1), statement.ColumnText(2), statement.ColumnText(3)));
        return rows;
    }

    private TableShape ShapeOf(SchemaRow row, IEnumerable<SchemaRow> triggers, SchemaCatalog previous)
    {
        var needsTracking = triggers.Any(trigger => SqlTokens.HasWord(trigger.Sql, "BEFORE") || !SqlTokens.HasWord(trigger.Sql, "AFTER"))
            || RefersToItselfWithAction(row.Name);
        if (previous.Find(row.Name) is { } known && known.Sql == row.Sql)
            return known.NeedsTracking == needsTracking ? known : known with { NeedsTracking = needsTracking };

        var columns = ReadColumns(row.Name);
        var isWithoutRowid = HasRows($"PRAGMA main.index_info({SqlName.Quote(row.Name)})");
        var alias = isWithoutRowid ? -1 : RowidAlias(row.Name, columns);
        var values = columns.Where(column => !column.IsGenerated).Select(column => SqlName.Quote(column.Name)).ToList();
        if (!isWithoutRowid && alias < 0)
            values.Insert(0, RowidName(row.Name, columns));
        var key = isWithoutRowid
            ? columns.Where(column => column.KeyOrdinal > 0).OrderBy(column => column.KeyOrdinal)
                .Select(column => values.IndexOf(SqlName.Quote(column.Name))).ToList()
            : [alias < 0 ? 0 : values.IndexOf(SqlName.Quote(columns[alias].Name))];
        var shape = new TableShape
        {
            CaptureId = ++_lastCaptureId,
            Name = row.Name,
            Sql = row.Sql,
            Values = values,
            Key = key,
            IsWithoutRowid = isWithoutRowid,
            HasUnnamedRowid = !isWithoutRowid && alias < 0,
            IsAutoIncrement = SqlTokens.HasWord(row.Sql, "AUTOINCREMENT"),
            CanReplace = SqlTokens.HasPair(row.Sql, "CONFLICT", "REPLACE"),
            CanFail = SqlTokens.HasPair(row.Sql, "CONFLICT", "FAIL"),
            NeedsTracking = needsTracking,
        };
        // A changed statement that leaves the images alone (a renamed reference, say) keeps its triggers' number.
        return previous.Find(row.Name) is { } before && before.HasSameImages(shape) ? shape with { CaptureId = before.CaptureId } : shape;
    }

    private List<Column> ReadColumns(string table)
    {
        const int VirtualGenerated = 2;
        var columns = new List<Column>();
        using var statement = connection.Prepare($"PRAGMA main.table_xinfo({SqlName.Quote(table)})");
        while (statement.Step())
            columns.Add(new Column(
                statement.ColumnText(1), statement.ColumnText(2), (int)statement.ColumnInteger(5),
                statement.ColumnInteger(6) >= VirtualGenerated));
        return columns;
    }

    /// <summary>
    /// The INTEGER PRIMARY KEY, or −1. SQLite makes no index for it, while every other primary key has one
    /// (also the odd <c>INTEGER PRIMARY KEY DESC</c>, which is no alias).
    /// </summary>
    private int RowidAlias(string table, List<Column> columns)
    {
        var keys = columns.Where(column => column.KeyOrdinal > 0).ToList();
        if (keys.Count != 1 || !keys[0].Type.Equals("INTEGER", StringComparison.OrdinalIgnoreCase))
            return -1;
        using var indexes = connection.Prepare($"PRAGMA main.index_list({SqlName.Quote(table)})");
        while (indexes.Step())
            if (indexes.ColumnText(3) == "pk")
                return -1;
        return columns.IndexOf(keys[0]);
    }

    private static string RowidName(string table, List<Column> columns)
        => RowidNames.FirstOrDefault(name => !columns.Any(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            ?? throw RefusedSql.UnnamedRows.Exception(table);

    /// <summary>A cascade that returns to its own table shows triggers the rows in an order that is not that of the changes.</summary>
    private bool RefersToItselfWithAction(string table)
    {
        using var statement = connection.Prepare($"PRAGMA main.foreign_key_list({SqlName.Quote(table)})");
        while (statement.Step())
            if (statement.ColumnText(2).Equals(table, StringComparison.OrdinalIgnoreCase)
                && (statement.ColumnText(5) is not ("NO ACTION" or "RESTRICT") || statement.ColumnText(6) is not ("NO ACTION" or "RESTRICT")))
                return true;
        return false;
    }

    private bool HasRows(string sql)
    {
        using var statement = connection.Prepare(sql);
        return statement.Step();
    }
}
