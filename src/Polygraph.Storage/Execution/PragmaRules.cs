using System.Collections.Frozen;

namespace Polygraph.Storage.Execution;

/// <summary>The pragmas that a client may use. Everything that is not listed is refused: some would change this replica alone.</summary>
internal static class PragmaRules
{
    private static readonly FrozenSet<string> Informing = FrozenSet.Create(
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list", "foreign_key_check",
        "database_list", "collation_list", "function_list", "module_list", "pragma_list", "compile_options", "integrity_check",
        "quick_check");

    private static readonly FrozenSet<string> ReadableOnly = FrozenSet.Create(
        "page_count", "page_size", "freelist_count", "encoding", "journal_mode", "schema_version", "data_version", "synchronous",
        "recursive_triggers", "auto_vacuum", "cache_size", "busy_timeout", "max_page_count");

    // Kept in the database file, so an entry replicates them as it does a schema statement.
    private static readonly FrozenSet<string> Replicated = FrozenSet.Create("user_version", "application_id");

    private static readonly FrozenSet<string> OfTheClient = FrozenSet.Create("foreign_keys", "defer_foreign_keys");

    /// <summary>Why the pragma is refused, null if it is not.</summary>
    internal static string? Denial(string pragma, string? argument)
    {
        if (Informing.Contains(pragma) || Replicated.Contains(pragma) || OfTheClient.Contains(pragma))
            return null;
        if (!ReadableOnly.Contains(pragma))
            return $"PRAGMA {pragma} is not available on a replicated database.";
        return argument is null ? null : $"PRAGMA {pragma} can be read, not set: it belongs to the replica.";
    }

    internal static bool IsReplicated(string pragma) => Replicated.Contains(pragma);

    /// <summary>A pragma's switch, as SQLite reads it; null for what SQLite would ignore.</summary>
    internal static bool? ParseSwitch(string argument)
        => argument.ToUpperInvariant() switch
        {
            "1" or "ON" or "YES" or "TRUE" => true,
            "0" or "OFF" or "NO" or "FALSE" => false,
            _ => null,
        };
}
