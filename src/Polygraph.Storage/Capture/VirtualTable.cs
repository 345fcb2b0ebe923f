using System.Collections.Frozen;

namespace Polygraph.Storage.Capture;

/// <summary>
/// A virtual table of the schema. Its module writes rows that no trigger sees, so statements that write it are replicated as statements.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Module">The module's name in lower case.</param>
/// <param name="Sql">The statement that made it, as SQLite keeps it.</param>
internal sealed record VirtualTable(string Name, string Module, string Sql)
{
    private static readonly string[] Fts3 = ["content", "segments", "segdir", "docsize", "stat"];
    private static readonly string[] RTree = ["node", "parent", "rowid"];

    // What SQLite's own modules keep in tables of their own, by the end of those tables' names. Another module could keep its rows anywhere.
    private static readonly FrozenDictionary<string, string[]> ShadowNames = new Dictionary<string, string[]>
    {
        ["fts5"] = ["data", "idx", "content", "docsize", "config"],
        ["fts4"] = Fts3,
        ["fts3"] = Fts3,
        ["rtree"] = RTree,
        ["rtree_i32"] = RTree,
        ["geopoly"] = RTree,
        ["fts5vocab"] = [],
        ["fts4aux"] = [],
        ["fts3tokenize"] = [],
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The modules whose tables can be replicated.</summary>
    internal static IEnumerable<string> Modules => ShadowNames.Keys.Order(StringComparer.Ordinal);

    /// <summary>The ordinary tables in which the module keeps its rows: no capture triggers, no digests.</summary>
    internal IEnumerable<string> ShadowTables => ShadowNames.GetValueOrDefault(Module, []).Select(suffix => $"{Name}_{suffix}");

    /// <summary>The shadow tables whose rowids are those of the virtual table's rows; not each of them need be there.</summary>
    internal IEnumerable<string> NumberingTables => ShadowTables.Where(name => name.EndsWith("_docsize", StringComparison.Ordinal)
        || name.EndsWith("_content", StringComparison.Ordinal) || name.EndsWith("_rowid", StringComparison.Ordinal));

    internal static bool IsKnownModule(string module) => ShadowNames.ContainsKey(module);

    /// <summary>Reads the statement of a table; null if that is no virtual one.</summary>
    internal static VirtualTable? TryRead(string name, string sql)
    {
        var tokens = new SqlTokens(sql);
        if (!tokens.Read() || !tokens.Is("CREATE") || !tokens.Read() || !tokens.Is("VIRTUAL"))
            return null;
        while (tokens.Read())
            if (tokens.Is("USING"))
                return tokens.Read() ? new VirtualTable(name, tokens.Current.Trim("\"`[]'").ToString().ToLowerInvariant(), sql) : null;
        return null;
    }
}
