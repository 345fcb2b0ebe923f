using Polygraph.Protocol;
using Polygraph.Storage.Execution;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Capture;

/// <summary>Reads the catalog from a connection. Shapes of tables that did not change are kept, and with them their capture triggers.</summary>
/// <param name="connection">Where from.</param>
/// <param name="hasHook">Whether <see cref="PreupdateHook"/> captures what the connection changes.</param>
internal sealed class SchemaReader(SqliteConnection connection, bool hasHook = false)
{
    private static readonly string[] RowidNames = ["rowid", "_rowid_", "oid"];

    private int _lastCaptureId;

    private readonly record struct SchemaRow(string Type, string Name, string TableName, string Sql);

    private readonly record struct Column(string Name, string Type, bool HasDefault, int KeyOrdinal, int Hidden)
    {
        private const int VirtualGenerated = 2;

        public bool IsGenerated => Hidden >= VirtualGenerated;

        public bool IsStored => Hidden != VirtualGenerated;
    }

    /// <summary>The catalog of now. Throws <see cref="RefusedException"/> if a table cannot be replicated.</summary>
    internal SchemaCatalog Read(SchemaCatalog previous)
    {
        var version = ReadVersion();
        if (version == previous.Version)
            return previous;
        var rows = ReadSchema();
        var triggers = rows.Where(row => row.Type == "trigger").ToList();
        var mixedParents = MixedParents();
        var virtualTables = rows
            .Where(row => row.Type == "table").Select(row => VirtualTable.TryRead(row.Name, row.Sql)).OfType<VirtualTable>()
            .OrderBy(table => table.Name, StringComparer.Ordinal).ToList();
        var shadows = virtualTables.SelectMany(table => table.ShadowTables).Intersect(rows.Select(row => row.Name), StringComparer.OrdinalIgnoreCase);
        var notRows = virtualTables.SelectMany(table => table.ShadowTables.Append(table.Name)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var tables = rows
            .Where(row => row.Type == "table" && !SqlName.IsOwn(row.Name) && !SqlName.IsSystem(row.Name) && !notRows.Contains(row.Name))
            .Select(row => ShapeOf(row, triggers.Where(trigger => trigger.TableName == row.Name), mixedParents.Contains(row.Name), previous))
            .OrderBy(table => table.Name, StringComparer.Ordinal)
            .ToList();
        return new SchemaCatalog(
            version,
            tables,
            virtualTables,
            shadows,
            triggers.ToDictionary(
                trigger => trigger.Name, trigger => new TriggerTraits(SqlTokens.CanReplace(trigger.Sql), SqlTokens.CanFail(trigger.Sql))),
            rows.Any(row => row.Name == "sqlite_sequence"));
    }

    /// <summary>Whether the connection has TEMP objects that are not ours.</summary>
    internal bool HasTempObjects()
    {
        using var statement = connection.Prepare("SELECT name FROM temp.sqlite_master");
        while (statement.Step())
            if (!SqlName.IsOwn(statement.ColumnText(0)) && !SqlName.IsSystem(statement.ColumnText(0)))
                return true;
        return false;
    }

    /// <summary>
    /// The statements that make the schema, in an order in which they can run: virtual tables first, because they make tables of their own, and
    /// triggers last. Polygraph's own tables are among them, because views may read them.
    /// </summary>
    internal static List<string> ReadStatements(SqliteConnection connection)
    {
        var statements = new List<string>();
        using var statement = connection.Prepare(
            """
            SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
            ORDER BY sql NOT LIKE 'CREATE VIRTUAL %', CASE type WHEN 'table' THEN 1 WHEN 'index' THEN 2 WHEN 'view' THEN 3 ELSE 4 END, rowid
            """);
        while (statement.Step())
            statements.Add(statement.ColumnText(0));
        return statements;
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

    private TableShape ShapeOf(SchemaRow row, IEnumerable<SchemaRow> triggers, bool isMixedParent, SchemaCatalog previous)
    {
        var actionParents = ActionParents(row.Name);
        var needsTracking = isMixedParent || triggers.Any(trigger => SqlTokens.HasWord(trigger.Sql, "BEFORE") || !SqlTokens.HasWord(trigger.Sql, "AFTER"))
            || actionParents.Contains(row.Name, StringComparer.OrdinalIgnoreCase);
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
        var keyCollations = isWithoutRowid ? KeyCollations(row.Name) : [];
        var isStrict = SqlTokens.HasWord(row.Sql, "STRICT");
        var shape = new TableShape
        {
            Affinities = [.. values.Select(value => columns.Find(column => SqlName.Quote(column.Name) == value) is { Name: not null } column
                ? AffinityOf(column.Type, isStrict)
                : ValueAffinity.Numeric)],
            VirtualReals = [.. columns
                .Where(column => !column.IsStored && AffinityOf(column.Type, isStrict) == ValueAffinity.Real).Select(column => column.Name)],
            HookColumns = hasHook ? HookColumns(values, key, columns, isWithoutRowid, isStrict) : null,
            KeyColumns = isWithoutRowid ? [.. key.Select(part => columns.FindIndex(column => SqlName.Quote(column.Name) == values[part]))] : [],
            KeyCondition = string.Join(
                " AND ", key.Select((part, i) => $"{values[part]}{(isWithoutRowid ? " COLLATE " + keyCollations[i] : "")} IS ?")),
            LookUpHint = isWithoutRowid ? "INDEXED BY " + SqlName.Quote(KeyIndex(row.Name)) : "NOT INDEXED",
            ActionParents = actionParents,
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
        var columns = new List<Column>();
        using var statement = connection.Prepare($"PRAGMA main.table_xinfo({SqlName.Quote(table)})");
        while (statement.Step())
            columns.Add(new Column(
                statement.ColumnText(1),
                statement.ColumnText(2),
                statement.ColumnKind(4) != SqlValueKind.Null,
                (int)statement.ColumnInteger(5),
                (int)statement.ColumnInteger(6)));
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

    /// <summary>Whose changes a foreign key of the table answers with changes of its own.</summary>
    private List<string> ActionParents(string table)
    {
        var parents = new List<string>();
        using var statement = connection.Prepare($"PRAGMA main.foreign_key_list({SqlName.Quote(table)})");
        while (statement.Step())
            if (statement.ColumnText(5) is not ("NO ACTION" or "RESTRICT") || statement.ColumnText(6) is not ("NO ACTION" or "RESTRICT"))
                parents.Add(statement.ColumnText(2));
        return parents;
    }

    /// <summary>
    /// The tables of whose text or typeless columns a numeric column is a foreign key. When SQLite compares the two it makes a number of a text that
    /// looks like one, and a trigger that fires later is shown that number as OLD.
    /// </summary>
    private HashSet<string> MixedParents()
    {
        const string MixedKeys = """
            SELECT fk."table" FROM main.sqlite_master AS t, pragma_foreign_key_list(t.name) AS fk, pragma_table_xinfo(t.name) AS child,
                pragma_table_xinfo(fk."table") AS parent
            WHERE t.type = 'table' AND child.name = fk."from" COLLATE NOCASE
                AND CASE WHEN fk."to" IS NULL THEN parent.pk = fk.seq + 1 ELSE parent.name = fk."to" COLLATE NOCASE END
                AND (child.type LIKE '%INT%' OR NOT (child.type = '' OR child.type LIKE '%CHAR%' OR child.type LIKE '%CLOB%' OR child.type LIKE '%TEXT%'
                    OR child.type LIKE '%BLOB%'))
                AND parent.type NOT LIKE '%INT%'
                AND (parent.type = '' OR parent.type LIKE '%CHAR%' OR parent.type LIKE '%CLOB%' OR parent.type LIKE '%TEXT%' OR parent.type LIKE '%BLOB%')
            """;
        var parents = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        using var statement = connection.Prepare(MixedKeys);
        while (statement.Step())
            parents.Add(statement.ColumnText(0));
        return parents;
    }

    /// <summary>Null if the hook cannot be asked for the values: see <see cref="TableShape.HookColumns"/>.</summary>
    private static HookColumn[]? HookColumns(List<string> values, List<int> key, List<Column> columns, bool isWithoutRowid, bool isStrict)
    {
        // Behind a virtual column the numbers of what is stored are others; without rowid they are anyway.
        if (isWithoutRowid ? columns.Any(column => !column.IsStored) : columns.SkipWhile(column => column.IsStored).Any(column => column.IsStored))
            return null;
        var shown = values.Select((value, i) =>
        {
            var number = columns.FindIndex(column => SqlName.Quote(column.Name) == value);
            return number < 0 || (!isWithoutRowid && key[0] == i)
                ? new HookColumn(-1, ValueAffinity.Numeric, HasDefault: false)
                : new HookColumn(number, AffinityOf(columns[number].Type, isStrict), columns[number].HasDefault);
        }).ToArray();
        var isInOrder = key.Select((part, i) => shown[part].Number == i).All(isAtItsPlace => isAtItsPlace);
        return isWithoutRowid && !isInOrder ? null : shown;
    }

    /// <summary>SQLite's rules of affinity, in their order (sqlite.org/datatype3.html, 3.1).</summary>
    private static ValueAffinity AffinityOf(string type, bool isStrict)
    {
        if (type.Contains("INT", StringComparison.OrdinalIgnoreCase))
            return ValueAffinity.Numeric;
        if (type.Length == 0 || (isStrict && type.Equals("ANY", StringComparison.OrdinalIgnoreCase)) || Has("CHAR", "CLOB", "TEXT", "BLOB"))
            return ValueAffinity.Other;
        return Has("REAL", "FLOA", "DOUB") ? ValueAffinity.Real : ValueAffinity.Numeric;

        bool Has(params ReadOnlySpan<string> parts)
        {
            foreach (var part in parts)
                if (type.Contains(part, StringComparison.OrdinalIgnoreCase))
                    return true;
            return false;
        }
    }

    /// <summary>The index that a WITHOUT ROWID table is.</summary>
    private string KeyIndex(string table)
    {
        using var statement = connection.Prepare("SELECT name FROM pragma_index_list(?) WHERE origin = 'pk'");
        statement.Bind(1, table);
        Invariant.Holds(statement.Step(), "a table without rowid has a primary key");
        return statement.ColumnText(0);
    }

    /// <summary>The collations of a WITHOUT ROWID table's primary key, quoted.</summary>
    private List<string> KeyCollations(string table)
    {
        const string ByTheIndex = "SELECT coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno";
        var collations = new List<string>();
        using var statement = connection.Prepare(ByTheIndex);
        statement.Bind(1, table);
        while (statement.Step())
            collations.Add(SqlName.Quote(statement.ColumnText(0)));
        return collations;
    }

    private bool HasRows(string sql)
    {
        using var statement = connection.Prepare(sql);
        return statement.Step();
    }
}
