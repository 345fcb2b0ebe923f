using Polygraph.Storage.Capture;

namespace Polygraph.Storage.Execution;

/// <summary>
/// What can be read in SQL and says something else on another replica with the same rows: pages, versions, how far it is. A statement that every
/// replica runs itself may not read it.
/// </summary>
internal static class LocalNames
{
    internal static bool IsFunction(string name)
        => SqlName.IsSystem(name);

    internal static bool IsTable(string name, SchemaCatalog catalog)
        => SqlName.IsOwn(name)
            || (SqlName.IsSystem(name) && !SqlName.IsStatistics(name) && name != "sqlite_sequence")
            || name.StartsWith("pragma_", StringComparison.OrdinalIgnoreCase)
            || name is "dbstat" or "bytecode" or "tables_used"
            || catalog.ShadowTables.Contains(name);
}
