using Polygraph.Storage.Capture;

namespace Polygraph.Storage;

/// <summary>What a unit would make every replica run as SQL: changes of the schema, and statements that write virtual tables.</summary>
/// <param name="Schema">The schema before, one statement an object, in an order in which they can be made.</param>
/// <param name="Operations">What the unit ran, in order.</param>
public sealed record SchemaPlan(IReadOnlyList<string> Schema, IReadOnlyList<SchemaOperation> Operations)
{
    /// <summary>The schema for which it was made. A catalog is replaced by every change of the schema, so this one tells whether there was any.</summary>
    internal SchemaCatalog? Basis { get; init; }

    /// <summary>Which libraries the cluster ran, by <see cref="EntryContext.MustTryOn"/>.</summary>
    internal long Libraries { get; init; }
}

/// <summary>One statement that every replica would have to run.</summary>
/// <param name="Sql">Its text.</param>
/// <param name="CompileOnly">It writes rows of a virtual table: it is enough that it compiles.</param>
public sealed record SchemaOperation(string Sql, bool CompileOnly = false);
