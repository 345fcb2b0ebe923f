namespace Polygraph.Storage.Capture;

/// <summary>
/// How a table's rows become images: the rowid first, unless a column is its alias, then every stored column. Immutable.
/// </summary>
internal sealed record TableShape
{
    /// <summary>Never used again in this process; the capture triggers name it.</summary>
    public required int CaptureId { get; init; }

    public required string Name { get; init; }

    /// <summary>The statement that made the table, as SQLite keeps it.</summary>
    public required string Sql { get; init; }

    /// <summary>SQL names of the image's values, quoted where they are columns.</summary>
    public required IReadOnlyList<string> Values { get; init; }

    /// <summary>What the columns of the values make of numbers.</summary>
    public required ValueAffinity[] Affinities { get; init; }

    /// <summary>
    /// How <see cref="PreupdateHook"/> asks for the values. Null if there is no hook, or if it could not be asked for some of them: SQLite counts the columns
    /// that it stores, which are others behind a virtual generated one, and of a WITHOUT ROWID table those of the key first. Triggers show such tables.
    /// </summary>
    public required HookColumn[]? HookColumns { get; init; }

    /// <summary>Its virtual generated columns of type REAL.</summary>
    public required IReadOnlyList<string> VirtualReals { get; init; }

    /// <summary>Which values of the image identify the row: the rowid, or the primary key of a WITHOUT ROWID table.</summary>
    public required IReadOnlyList<int> Key { get; init; }

    /// <summary>The numbers of the key's columns in the table; empty where the rowid is the key.</summary>
    public required IReadOnlyList<int> KeyColumns { get; init; }

    /// <summary>
    /// What finds a row by the values of its key, in their order. Each with the collation of the primary key, which may be another than the
    /// column's: under the column's, two keys could be the same.
    /// </summary>
    public required string KeyCondition { get; init; }

    /// <summary>
    /// How a row that is about to change is looked for: not by an index of the table, because SQLite may have taken the row out of that already.
    /// </summary>
    public required string LookUpHint { get; init; }

    /// <summary>The tables that a foreign key with an action (CASCADE, SET NULL, SET DEFAULT) of this table refers to.</summary>
    public required IReadOnlyList<string> ActionParents { get; init; }

    public required bool IsWithoutRowid { get; init; }

    public required bool IsAutoIncrement { get; init; }

    /// <summary>Whether the rows have rowids that no column keeps, so that VACUUM may give them others.</summary>
    public required bool HasUnnamedRowid { get; init; }

    /// <summary>Whether a constraint of the table says ON CONFLICT REPLACE.</summary>
    public required bool CanReplace { get; init; }

    /// <summary>Whether a constraint of the table says ON CONFLICT FAIL.</summary>
    public required bool CanFail { get; init; }

    /// <summary>
    /// Whether the rows that a trigger is shown may be out of date (the hook's never are): the table has BEFORE triggers of its own, or a foreign-key action can
    /// come back to the row that caused it.
    /// </summary>
    public required bool NeedsTracking { get; init; }

    public string QuotedName => SqlName.Quote(Name);

    /// <summary>Whether two shapes have the same images, so that a digest over one holds for the other.</summary>
    public bool HasSameImages(TableShape other) => Name == other.Name && Values.SequenceEqual(other.Values);
}

/// <summary>What a column makes of a number that is put into it.</summary>
internal enum ValueAffinity : byte
{
    /// <summary>Nothing, or a text.</summary>
    Other,

    /// <summary>INTEGER and NUMERIC: a REAL without fraction is kept as INTEGER. NEW shows some of them (of generated columns) as REAL.</summary>
    Numeric,

    /// <summary>REAL: an INTEGER is read as REAL. The file may hold it as INTEGER, which is shorter, and the hook shows it so.</summary>
    Real,
}

/// <summary>How the preupdate hook is asked for a value.</summary>
/// <param name="Number">The number of the column; −1 for the rowid and its alias, which the hook tells by itself.</param>
/// <param name="Affinity">As <see cref="TableShape.Affinities"/>.</param>
/// <param name="HasDefault">Whether rows that are older than the column have its default.</param>
internal readonly record struct HookColumn(int Number, ValueAffinity Affinity, bool HasDefault)
{
    public bool IsRowid => Number < 0;
}

/// <summary>Names in SQL.</summary>
internal static class SqlName
{
    /// <summary>Tables, indexes, triggers and savepoints that begin so are ours.</summary>
    internal const string OwnPrefix = "polygraph_";

    internal static string Quote(string name) => "\"" + name.Replace("\"", "\"\"") + "\"";

    internal static bool Same(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    internal static bool IsOwn(string name) => name.StartsWith(OwnPrefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>The tables of ANALYZE: SQLite lets clients write them, and puts no triggers on them.</summary>
    internal static bool IsStatistics(string name) => name.StartsWith("sqlite_stat", StringComparison.OrdinalIgnoreCase);

    internal static bool IsSystem(string name) => name.StartsWith("sqlite_", StringComparison.OrdinalIgnoreCase);
}
