using Polygraph.Storage.Capture;

namespace Polygraph.Storage;

/// <summary>What a unit wants to change in the schema: exactly what its entry would make every replica run.</summary>
/// <param name="Schema">The schema before, one statement an object, in an order in which they can be made.</param>
/// <param name="Operations">What the unit ran, in order.</param>
public sealed record SchemaPlan(IReadOnlyList<string> Schema, IReadOnlyList<SchemaOperation> Operations)
{
    /// <summary>The schema for which it was made. A catalog is replaced by every change of the schema, so this one tells whether there was any.</summary>
    internal SchemaCatalog? Basis { get; init; }

    internal bool IsSameAs(SchemaCatalog basis, IReadOnlyList<SchemaOperation> operations)
        => ReferenceEquals(Basis, basis) && Operations.SequenceEqual(operations);
}

/// <summary>One statement that every replica would have to run.</summary>
/// <param name="Sql">Its text.</param>
public sealed record SchemaOperation(string Sql);
