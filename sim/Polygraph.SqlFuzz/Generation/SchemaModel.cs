using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;

namespace Polygraph.SqlFuzz.Generation;

/// <summary>A column as far as statements are drawn for it.</summary>
internal sealed record ModelColumn(string Name, string Type, bool IsGenerated, int KeyOrdinal)
{
    public string Quoted => SchemaModel.Quote(Name);
}

/// <summary>A table or a view.</summary>
internal sealed record ModelTable(string Name, bool IsView, bool HasRowid, IReadOnlyList<ModelColumn> Columns, IReadOnlyList<IReadOnlyList<string>> Uniques)
{
    public string Quoted => SchemaModel.Quote(Name);

    /// <summary>The columns that can be written.</summary>
    public IReadOnlyList<ModelColumn> Writable { get; } = [.. Columns.Where(column => !column.IsGenerated)];
}

/// <summary>What the grammar knows of the database: read from it, so that the two cannot part.</summary>
internal sealed class SchemaModel
{
    private long _version = -1;

    public IReadOnlyList<ModelTable> Tables { get; private set; } = [];

    public IReadOnlyList<ModelTable> Views { get; private set; } = [];

    public IReadOnlyList<string> Indexes { get; private set; } = [];

    public IReadOnlyList<string> Triggers { get; private set; } = [];

    /// <summary>Full-text tables of one column named body.</summary>
    public IReadOnlyList<string> VirtualTables { get; private set; } = [];

    public bool HasSequences { get; private set; }

    public static string Quote(string name) => "\"" + name.Replace("\"", "\"\"") + "\"";

    /// <summary>Reads the schema if it has changed.</summary>
    public void Refresh(SqliteConnection connection)
    {
        var version = Rows(connection, "PRAGMA main.schema_version", 1)[0][0];
        if (long.Parse(version, System.Globalization.CultureInfo.InvariantCulture) is var now && now == _version)
            return;
        _version = now;
        var schema = Rows(
            connection, "SELECT type, name, coalesce(sql, '') FROM main.sqlite_master WHERE tbl_name NOT LIKE 'polygraph#_%' ESCAPE '#'", 3);
        HasSequences = schema.Any(row => row[1] == "sqlite_sequence");
        var virtualTables = schema.Select(row => VirtualTable.TryRead(row[1], row[2])).OfType<VirtualTable>().ToList();
        VirtualTables = [.. virtualTables.Select(table => table.Name)];
        var notRows = virtualTables.SelectMany(table => table.ShadowTables.Append(table.Name)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var relations = schema.Where(row => row[0] is "table" or "view" && !row[1].StartsWith("sqlite_", StringComparison.Ordinal) && !notRows.Contains(row[1]))
            .Select(row => Read(connection, row[1], row[0] == "view")).ToList();
        Tables = [.. relations.Where(relation => !relation.IsView)];
        Views = [.. relations.Where(relation => relation is { IsView: true, Columns.Count: > 0 })];
        Indexes = [.. schema.Where(row => row[0] == "index" && row[2].Length > 0).Select(row => row[1])];
        Triggers = [.. schema.Where(row => row[0] == "trigger").Select(row => row[1])];
    }

    private static ModelTable Read(SqliteConnection connection, string name, bool isView)
    {
        var columns = Rows(connection, $"SELECT name, type, hidden, pk FROM pragma_table_xinfo({Quote(name)})", 4)
            .Select(row => new ModelColumn(row[0], row[1], row[2] is "2" or "3", int.Parse(row[3], System.Globalization.CultureInfo.InvariantCulture)))
            .ToList();
        var hasRowid = !isView && Rows(connection, $"PRAGMA main.index_info({Quote(name)})", 1).Count == 0;
        var keys = columns.Where(column => column.KeyOrdinal > 0).OrderBy(column => column.KeyOrdinal).Select(column => column.Name).ToList();
        IEnumerable<IReadOnlyList<string>> uniques = Rows(
                connection, $"SELECT name FROM pragma_index_list({Quote(name)}) WHERE \"unique\" AND NOT partial ORDER BY name", 1)
            .Select(index => Rows(connection, $"SELECT coalesce(name, '') FROM pragma_index_info({Quote(index[0])})", 1).Select(row => row[0]).ToList());
        if (keys.Count > 0)
            uniques = uniques.Prepend(keys);
        return new ModelTable(
            name, isView, hasRowid, columns, [.. uniques.Where(unique => !unique.Contains("")).DistinctBy(unique => string.Join(",", unique))]);
    }

    private static List<string[]> Rows(SqliteConnection connection, string sql, int columns)
    {
        var rows = new List<string[]>();
        try
        {
            using var statement = connection.Prepare(sql);
            while (statement.Step())
                rows.Add([.. Enumerable.Range(0, columns).Select(statement.ColumnText)]);
        }
        catch (SqliteException)
        {
            // A view whose table is gone has no columns that anybody could tell.
        }

        return rows;
    }
}
