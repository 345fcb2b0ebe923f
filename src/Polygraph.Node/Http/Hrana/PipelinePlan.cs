using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>
/// What a pipeline comes to: one unit for the cluster, and for each request either the step that answers it, an error that was found here,
/// or nothing more to say than that it is done.
/// </summary>
internal sealed class PipelinePlan
{
    private readonly List<SqlStep> _steps = [];
    private readonly List<Slot> _slots = [];

    private PipelinePlan()
    {
    }

    /// <summary>One a request, in order.</summary>
    public IReadOnlyList<Slot> Slots => _slots;

    public SqlUnit Unit => new(UnitMode.Autocommit, _steps);

    public bool HasSteps => _steps.Count > 0;

    /// <summary>Whether the client ended the stream.</summary>
    public bool Closes { get; private set; }

    /// <summary>Replaces the numbers of stored texts by the texts, and keeps in the stream what the pipeline stores there.</summary>
    public static PipelinePlan Make(HranaPipeline pipeline, HranaStream stream)
    {
        var plan = new PipelinePlan();
        foreach (var request in pipeline.Requests)
            plan._slots.Add(plan.Plan(request, stream));
        return plan;
    }

    private Slot Plan(HranaRequest request, HranaStream stream)
    {
        if (Closes)
            return new Slot(request, null, new SqlError("STREAM_CLOSED", "The stream was closed by an earlier request of this pipeline."));

        switch (request)
        {
            case HranaRequest.StoreSql store:
                return new Slot(request, null, stream.Store(store.Id, store.Text));
            case HranaRequest.CloseSql close:
                stream.Forget(close.Id);
                return new Slot(request, null, null);
            case HranaRequest.Close:
                Closes = true;
                return new Slot(request, null, null);
            default:
                if (ToStep(request, stream, out var error) is not { } step)
                    return new Slot(request, null, error);
                _steps.Add(step);
                return new Slot(request, _steps.Count - 1, null);
        }
    }

    private static SqlStep? ToStep(HranaRequest request, HranaStream stream, out SqlError? error)
    {
        error = null;
        switch (request)
        {
            case HranaRequest.Execute execute:
                return Resolve(execute.Statement, stream, out error) is { } statement ? new SqlStep.Execute(statement) : null;
            case HranaRequest.Batch batch:
                return ResolveBatch(batch, stream, out error);
            case HranaRequest.Sequence sequence:
                return Resolve(sequence.Text, stream, out error) is { } texts ? new SqlStep.Sequence(texts) : null;
            case HranaRequest.Describe describe:
                return Resolve(describe.Text, stream, out error) is { } text ? new SqlStep.Describe(text) : null;
            case HranaRequest.GetAutocommit:
                return new SqlStep.GetAutocommit();
            default:
                throw new InvalidOperationException($"No step stands for the request '{request.Type}'.");
        }
    }

    private static SqlStep? ResolveBatch(HranaRequest.Batch batch, HranaStream stream, out SqlError? error)
    {
        error = null;
        var items = new List<BatchItem>(batch.Steps.Count);
        foreach (var step in batch.Steps)
        {
            if (Resolve(step.Statement, stream, out error) is not { } statement)
                return null;
            items.Add(new BatchItem(step.Condition, statement));
        }

        return new SqlStep.Batch(items);
    }

    private static SqlStatement? Resolve(HranaStatement statement, HranaStream stream, out SqlError? error)
        => Resolve(statement.Text, stream, out error) is { } text ? new SqlStatement(text, statement.Arguments, statement.WantRows) : null;

    private static string? Resolve(HranaText text, HranaStream stream, out SqlError? error)
    {
        var resolved = text.Text ?? stream.Find(text.StoredId!.Value);
        error = resolved is null ? new SqlError("SQL_STORE_UNKNOWN", $"No text is stored under sql_id {text.StoredId}.") : null;
        return resolved;
    }

    /// <summary>A request and where its answer comes from.</summary>
    /// <param name="Request">What was asked.</param>
    /// <param name="Step">The step of the unit that answers it, if one does.</param>
    /// <param name="Error">An error that was found before the cluster was asked.</param>
    internal readonly record struct Slot(HranaRequest Request, int? Step, SqlError? Error);
}
