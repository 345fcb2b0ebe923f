namespace Polygraph.Cli.Client;

/// <summary>One request: its statements are one transaction.</summary>
/// <param name="Database">The database's name.</param>
/// <param name="Statements">Run in order; the first error undoes all of them.</param>
/// <param name="Ack">The ack level, as text; null takes the database's default.</param>
/// <param name="Read">The read level, as text; null takes the server's default.</param>
/// <param name="MaxStaleness">As a duration with its unit.</param>
/// <param name="MaxLag">In entries.</param>
/// <param name="Session">The session token of the last answer, if the read level wants one.</param>
/// <param name="Key">The idempotency key, for whoever wants to ask again later; null draws one.</param>
public sealed record SqlCall(
    string Database,
    IReadOnlyList<string> Statements,
    string? Ack = null,
    string? Read = null,
    string? MaxStaleness = null,
    string? MaxLag = null,
    string? Session = null,
    string? Key = null)
{
    /// <summary>The same with a key that is known before anything is sent, so that whoever interrupts it can be told.</summary>
    public SqlCall WithKey() => this with { Key = Key ?? Guid.CreateVersion7().ToString() };
}

/// <summary>The answer to a <see cref="SqlCall"/>: exactly one of <see cref="Answer"/> and <see cref="Problem"/> is there.</summary>
/// <param name="Json">The body, as the server wrote it.</param>
/// <param name="ServedBy">The node that ran it, if the server said so.</param>
/// <param name="Session">The token to send with the next request.</param>
public sealed record SqlReply(SqlAnswer? Answer, ProblemView? Problem, string Json, string? ServedBy, string? Session);
