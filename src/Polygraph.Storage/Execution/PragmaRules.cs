using System.Collections.Frozen;

namespace Polygraph.Storage.Execution;

/// <summary>What a client may do with a pragma.</summary>
internal enum PragmaUse : byte
{
    /// <summary>It tells something; its argument, if it has one, says of what.</summary>
    Informs,

    /// <summary>Kept in the database file, or works on its contents: replicated as a schema statement is.</summary>
    Replicated,

    /// <summary>Holds for one request.</summary>
    OfRequest,

    /// <summary>Can be read, not set: it belongs to the replica.</summary>
    ReadOnly,

    /// <summary>Acts on one replica alone.</summary>
    Refused,
}

/// <summary>Every pragma of SQLite, and what a client may do with it. One that is not listed is refused.</summary>
internal static class PragmaRules
{
    private static readonly Dictionary<PragmaUse, string[]> ByUse = new()
    {
        [PragmaUse.Informs] =
        [
            "collation_list", "compile_options", "data_version", "database_list", "foreign_key_check", "foreign_key_list", "freelist_count",
            "function_list", "index_info", "index_list", "index_xinfo", "integrity_check", "module_list", "page_count", "pragma_list",
            "quick_check", "table_info", "table_list", "table_xinfo",
        ],
        [PragmaUse.Replicated] = ["application_id", "optimize", "user_version"],
        [PragmaUse.OfRequest] = ["defer_foreign_keys", "foreign_keys"],
        [PragmaUse.ReadOnly] =
        [
            "analysis_limit", "auto_vacuum", "automatic_index", "busy_timeout", "cache_size", "cache_spill", "cell_size_check",
            "checkpoint_fullfsync", "count_changes", "default_cache_size", "empty_result_callbacks", "encoding", "full_column_names", "fullfsync",
            "hard_heap_limit", "ignore_check_constraints", "journal_mode", "journal_size_limit", "legacy_alter_table", "locking_mode",
            "max_page_count", "mmap_size", "page_size", "query_only", "read_uncommitted", "recursive_triggers", "reverse_unordered_selects",
            "schema_version", "secure_delete", "short_column_names", "soft_heap_limit", "synchronous", "temp_store", "threads", "trusted_schema",
            "wal_autocheckpoint", "writable_schema",
        ],
        [PragmaUse.Refused] =
        [
            "case_sensitive_like", "data_store_directory", "incremental_vacuum", "shrink_memory", "temp_store_directory", "wal_checkpoint",
        ],
    };

    private static readonly FrozenDictionary<string, PragmaUse> Uses = ByUse
        .SelectMany(group => group.Value.Select(name => KeyValuePair.Create(name, group.Key)))
        .ToFrozenDictionary();

    /// <summary>What may be done with a pragma; null for one that is not listed.</summary>
    internal static PragmaUse? UseOf(string pragma) => Uses.TryGetValue(pragma, out var use) ? use : null;

    internal static IReadOnlyList<string> Named(PragmaUse use) => ByUse[use];

    /// <summary>Why the pragma is refused, null if it is not.</summary>
    internal static string? Denial(string pragma, string? argument)
        => UseOf(pragma) switch
        {
            PragmaUse.Informs or PragmaUse.Replicated or PragmaUse.OfRequest => null,
            PragmaUse.ReadOnly => argument is null ? null : RefusedSql.SetPragma.MessageFor(pragma),
            _ => RefusedSql.OtherPragma.MessageFor(pragma),
        };

    /// <summary>Whether every replica must run it. Without an argument most are only asked for.</summary>
    internal static bool IsReplicated(string pragma, string? argument)
        => UseOf(pragma) == PragmaUse.Replicated && (argument is not null || pragma == "optimize");

    /// <summary>A pragma's switch, as SQLite reads it; null for what SQLite would ignore.</summary>
    internal static bool? ParseSwitch(string argument)
        => argument.ToUpperInvariant() switch
        {
            "1" or "ON" or "YES" or "TRUE" => true,
            "0" or "OFF" or "NO" or "FALSE" => false,
            _ => null,
        };
}
