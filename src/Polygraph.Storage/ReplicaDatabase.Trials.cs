using Polygraph.Storage.Capture;
using Polygraph.Wire.Log;

namespace Polygraph.Storage;

/// <content>The leader's side of statements that other SQLite libraries must be able to run: changes of the schema, and writes of virtual tables.</content>
public sealed partial class ReplicaDatabase
{
    /// <summary>Texts that are remembered as tried; a workload with more distinct ones asks again now and then.</summary>
    private const int TriedTextsMax = 1024;

    // Statements that write virtual tables and compile on every library, for one schema and one set of libraries: asked once, not at every write.
    private readonly HashSet<string> _triedTexts = new(StringComparer.Ordinal);
    private (SchemaCatalog Basis, long Libraries) _triedOn = (SchemaCatalog.Empty, 0);

    /// <summary>What the running unit would make every replica run as SQL, if that was not tried yet; null if nothing is left to try.</summary>
    private List<SchemaOperation>? UntriedOperations(long libraries, SchemaPlan? tried)
    {
        var basis = _unitStart.Catalog;
        var changesSchema = !ReferenceEquals(_capture.Catalog, basis);
        if (!changesSchema && basis.VirtualTables.Count == 0)
            return null;
        var operations = ShippedOperations();
        if (tried is not null && ReferenceEquals(tried.Basis, basis) && tried.Libraries == libraries && tried.Operations.SequenceEqual(operations))
        {
            if (!changesSchema)
                RememberTried(basis, libraries, operations);
            return null;
        }

        var known = _triedOn == (basis, libraries) && operations.All(operation => operation.CompileOnly && _triedTexts.Contains(operation.Sql));
        return operations.Count == 0 || known ? null : operations;
    }

    private List<SchemaOperation> ShippedOperations()
    {
        var payload = new LogicalPayloadWriter();
        payload.WriteBytes(_capture.Payload.Written);
        payload.WriteEnd([]);
        var operations = new List<SchemaOperation>();
        var reader = new LogicalPayloadReader(payload.Written.ToArray());
        while (reader.Read(out var operation))
        {
            if (operation.Kind == LogicalOperationKind.Schema)
                operations.Add(new SchemaOperation(operation.Text!));
            else if (operation.Kind == LogicalOperationKind.Statement)
                operations.Add(new SchemaOperation(operation.Statement!.Sql, CompileOnly: true));
        }

        return operations;
    }

    private void RememberTried(SchemaCatalog basis, long libraries, List<SchemaOperation> operations)
    {
        if (_triedOn != (basis, libraries) || _triedTexts.Count > TriedTextsMax)
            _triedTexts.Clear();
        _triedOn = (basis, libraries);
        foreach (var operation in operations)
            _triedTexts.Add(operation.Sql);
    }

    /// <summary>The plan of a unit that was just undone.</summary>
    private SchemaPlan PlanOf(List<SchemaOperation> operations, long libraries)
        => new(SchemaReader.ReadStatements(Connection), operations) { Basis = _capture.Catalog, Libraries = libraries };
}
