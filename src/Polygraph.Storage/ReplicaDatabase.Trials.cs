using Polygraph.Storage.Capture;
using Polygraph.Wire.Log;

namespace Polygraph.Storage;

/// <content>The leader's side of a schema change that other SQLite libraries must be able to follow.</content>
public sealed partial class ReplicaDatabase
{
    /// <summary>
    /// What the running unit would make every replica run and what was not tried yet; null if it changes no schema, or exactly what was tried.
    /// </summary>
    private List<SchemaOperation>? UntriedOperations(SchemaPlan? tried)
    {
        if (ReferenceEquals(_capture.Catalog, _unitStart.Catalog))
            return null;
        var payload = new LogicalPayloadWriter();
        payload.WriteBytes(_capture.Payload.Written);
        payload.WriteEnd([]);
        var operations = new List<SchemaOperation>();
        var reader = new LogicalPayloadReader(payload.Written.ToArray());
        while (reader.Read(out var operation))
            if (operation.Kind == LogicalOperationKind.Schema)
                operations.Add(new SchemaOperation(operation.Text!));
        return tried?.IsSameAs(_unitStart.Catalog, operations) == true ? null : operations;
    }

    /// <summary>The plan of a unit that was just undone.</summary>
    private SchemaPlan PlanOf(List<SchemaOperation> operations)
        => new(SchemaReader.ReadStatements(Connection), operations) { Basis = _capture.Catalog };
}
