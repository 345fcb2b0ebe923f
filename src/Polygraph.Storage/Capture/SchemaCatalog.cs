using System.Collections.Frozen;

namespace Polygraph.Storage.Capture;

/// <summary>What a trigger of the schema can do to a statement that fires it.</summary>
internal readonly record struct TriggerTraits(bool CanReplace, bool CanFail);

/// <summary>The schema of the database as far as capture, execution and apply care. Immutable: a schema change makes a new one.</summary>
internal sealed class SchemaCatalog
{
    internal static readonly SchemaCatalog Empty = new(-1, [], [], [], new Dictionary<string, TriggerTraits>(), false);

    private readonly FrozenDictionary<string, TableShape> _byName;
    private readonly FrozenDictionary<int, TableShape> _byCaptureId;

    internal SchemaCatalog(
        long version,
        IReadOnlyList<TableShape> tables,
        IReadOnlyList<VirtualTable> virtualTables,
        IEnumerable<string> shadowTables,
        IReadOnlyDictionary<string, TriggerTraits> triggers,
        bool hasSequences)
    {
        Version = version;
        Tables = tables;
        VirtualTables = virtualTables;
        ShadowTables = shadowTables.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        Triggers = triggers;
        HasSequences = hasSequences;
        HasForeignKeys = tables.Any(table => SqlTokens.HasWord(table.Sql, "REFERENCES"));
        HasAutoIncrement = tables.Any(table => table.IsAutoIncrement);
        _byName = tables.ToFrozenDictionary(table => table.Name, StringComparer.Ordinal);
        _byCaptureId = tables.ToFrozenDictionary(table => table.CaptureId);
    }

    /// <summary>SQLite's schema cookie.</summary>
    internal long Version { get; }

    /// <summary>The replicated tables, in ordinal order of name.</summary>
    internal IReadOnlyList<TableShape> Tables { get; }

    /// <summary>The virtual tables, in ordinal order of name. Their statements are replicated instead of their rows.</summary>
    internal IReadOnlyList<VirtualTable> VirtualTables { get; }

    /// <summary>The tables, of those that there are, in which virtual tables keep their rows.</summary>
    internal FrozenSet<string> ShadowTables { get; }

    internal IReadOnlyDictionary<string, TriggerTraits> Triggers { get; }

    internal bool HasForeignKeys { get; }

    internal bool HasAutoIncrement { get; }

    /// <summary>Whether there is a <c>sqlite_sequence</c>: since the first table with AUTOINCREMENT, for ever.</summary>
    internal bool HasSequences { get; }

    internal TableShape? Find(string name) => _byName.GetValueOrDefault(name);

    internal TableShape? Find(int captureId) => _byCaptureId.GetValueOrDefault(captureId);
}
