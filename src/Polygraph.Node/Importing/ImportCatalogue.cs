using Polygraph.Node.Control;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Importing;

/// <summary>
/// Imports as rows of <c>_system</c>. A row is <c>pending</c> before any node is sent a byte, and becomes <c>done</c> together with the database's own
/// row, or <c>abandoned</c>; the log of <c>_system</c> puts the two in one order, so exactly one of them happens, whoever asks for it and however late.
/// </summary>
internal sealed class ImportCatalogue(DatabaseCatalogue catalogue, NodeClock clock)
{
    public const string Schema =
        """
        CREATE TABLE IF NOT EXISTS imports(
            seed TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            state TEXT NOT NULL,
            database INTEGER,
            bytes INTEGER NOT NULL,
            sha256 TEXT,
            began_at TEXT NOT NULL,
            began_by TEXT NOT NULL)
        """;

    private const string IsPending = "EXISTS (SELECT 1 FROM imports WHERE seed = ? AND state = 'pending')";

    public static ImportState StateOf(string text)
        => text switch
        {
            "done" => ImportState.Done,
            "abandoned" => ImportState.Abandoned,
            _ => ImportState.Pending,
        };

    public async Task<SqlProblem?> BeginAsync(Guid seed, ImportRequest request, CancellationToken cancellation)
    {
        var response = await catalogue.RunAsync(
            [
                DatabaseCatalogue.Step(
                    "INSERT INTO imports(seed, name, state, bytes, began_at, began_by) VALUES(?, ?, 'pending', ?, ?, ?)",
                    seed.ToString(), request.Name, request.Bytes, DatabaseCatalogue.Timestamp(clock), request.Principal),
            ],
            request.Principal, cancellation).ConfigureAwait(false);
        return response.Problem;
    }

    /// <summary>Makes it a database. Not cancelled: what was asked of the log stays asked.</summary>
    public async Task<SqlProblem?> CommitAsync(Guid seed, ImportRequest request)
    {
        var now = DatabaseCatalogue.Timestamp(clock);
        var id = seed.ToString();
        var response = await catalogue.RunAsync(
            [
                DatabaseCatalogue.Step(
                    $"INSERT INTO databases(name, topology, log, ack, created_at, created_by) SELECT ?, 'leader', 'logical', ?, ?, ? WHERE {IsPending}",
                    request.Name, AckPolicyText.Format(request.Ack), now, request.Principal, id),
                DatabaseCatalogue.Step(
                    $"INSERT INTO audit(at, principal, action, subject) SELECT ?, ?, 'import database', ? WHERE {IsPending}", now, request.Principal, request.Name, id),
                DatabaseCatalogue.Step(
                    "UPDATE imports SET state = 'done', sha256 = nullif(?, ''), database = (SELECT id FROM databases WHERE name = ?) WHERE seed = ? AND state = 'pending'",
                    request.Announced.Sha256 ?? "", request.Name, id),
            ],
            request.Principal, CancellationToken.None).ConfigureAwait(false);
        if (response.Problem is { Code: "SQLITE_CONSTRAINT" })
            return DatabaseCatalogue.NameIsTaken(request.Name);
        if (response.Problem is not null)
            return response.Problem;
        return response.Result?.Steps is [StepResult.Rows { Result.RowsAffected: 1 }, ..]
            ? null
            : new SqlProblem(409, "IMPORT_ABANDONED", "The import took too long",
                "The other nodes gave the import up before it was complete. Nothing was created; import it again.", Outcome.NotApplied);
    }

    /// <summary>
    /// Sees to it that it will never be a database, unless it is one. Only if <c>Abandoned</c> is true is it proven that this is what happened: else it
    /// may be a database, may have been abandoned before, or is not known.
    /// </summary>
    public async Task<(bool Abandoned, SqlProblem? Problem)> AbandonAsync(Guid seed, CancellationToken cancellation)
    {
        var response = await catalogue.RunAsync(
            [DatabaseCatalogue.Step("UPDATE imports SET state = 'abandoned' WHERE seed = ? AND state = 'pending'", seed.ToString())],
            "polygraph", cancellation).ConfigureAwait(false);
        return (response is { Problem: null, Result.Steps: [StepResult.Rows { Result.RowsAffected: 1 }, ..] }, response.Problem);
    }
}
