namespace Polygraph.Nemesis.Api;

/// <summary>One statement; arguments are null, a number, or a text.</summary>
internal sealed record Statement(string Sql, params object?[] Arguments);

/// <summary>One request, which is one transaction, and how it is asked for.</summary>
/// <param name="Statements">Run in order, all or none.</param>
/// <param name="Writes">Whether it may change anything.</param>
internal sealed record SqlCall(IReadOnlyList<Statement> Statements, bool Writes)
{
    public string? Ack { get; init; }

    public string? Read { get; init; }

    public string? MaxStaleness { get; init; }

    public string? Session { get; init; }

    public string? Key { get; init; }
}
