using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>A pipeline as it came in: texts may still be numbers of stored ones.</summary>
internal sealed record HranaPipeline(string? Baton, IReadOnlyList<HranaRequest> Requests);

/// <summary>An SQL text, or the number of one that the stream stored. Exactly one is set.</summary>
internal readonly record struct HranaText(string? Text, int? StoredId);

/// <summary>A statement whose text may be a stored one.</summary>
internal sealed record HranaStatement(HranaText Text, IReadOnlyList<SqlArgument> Arguments, bool WantRows);

/// <summary>A statement of a batch and its condition.</summary>
internal sealed record HranaBatchStep(BatchCondition? Condition, HranaStatement Statement);

/// <summary>One request of a pipeline. Closed: the nested types are all there are.</summary>
internal abstract record HranaRequest
{
    private HranaRequest()
    {
    }

    /// <summary>The protocol's name of the request, which its answer repeats.</summary>
    public abstract string Type { get; }

    public sealed record Execute(HranaStatement Statement) : HranaRequest
    {
        public override string Type => "execute";
    }

    public sealed record Batch(IReadOnlyList<HranaBatchStep> Steps) : HranaRequest
    {
        public override string Type => "batch";
    }

    public sealed record Sequence(HranaText Text) : HranaRequest
    {
        public override string Type => "sequence";
    }

    public sealed record Describe(HranaText Text) : HranaRequest
    {
        public override string Type => "describe";
    }

    public sealed record StoreSql(int Id, string Text) : HranaRequest
    {
        public override string Type => "store_sql";
    }

    public sealed record CloseSql(int Id) : HranaRequest
    {
        public override string Type => "close_sql";
    }

    public sealed record Close : HranaRequest
    {
        public override string Type => "close";
    }

    public sealed record GetAutocommit : HranaRequest
    {
        public override string Type => "get_autocommit";
    }
}
