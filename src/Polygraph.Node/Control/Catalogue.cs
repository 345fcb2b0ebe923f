using Polygraph.Node.Groups;
using Polygraph.Node.Http;
using Polygraph.Node.Importing;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Control;

/// <summary>What <c>_system</c> says of the databases, at one committed position.</summary>
/// <param name="At">The position.</param>
/// <param name="IsThere">Whether a leader has written the tables yet.</param>
/// <param name="Databases">The databases there should be.</param>
/// <param name="Dropped">Those that were dropped, ever.</param>
/// <param name="Imports">What was decided about each import.</param>
internal sealed record Catalogue(
    Position At, bool IsThere, IReadOnlyList<DatabaseInfo> Databases, IReadOnlySet<GroupId> Dropped, IReadOnlyDictionary<Guid, ImportState> Imports)
{
    /// <summary>
    /// Reads the answers to "is there a schema", "the databases", "the dropped ones" and "the imports". A missing schema is proven by the first; any other
    /// failure is one, and never means that there are no databases.
    /// </summary>
    public static Catalogue From(ReadExecution read)
    {
        var steps = read.Result.Steps;
        if (steps[0] is StepResult.Rows { Result.Rows.Count: 0 })
            return new Catalogue(read.Snapshot, false, [], new HashSet<GroupId>(), new Dictionary<Guid, ImportState>());
        if (steps is not [StepResult.Rows, StepResult.Rows databases, StepResult.Rows dropped, StepResult.Rows imports])
            throw new InvalidDataException($"The tables of _system cannot be read: {read.Result.FirstError?.Message ?? "an answer is missing"}.");
        return new Catalogue(
            read.Snapshot,
            true,
            [.. databases.Result.Rows.Select(Describe)],
            dropped.Result.Rows.Select(row => new GroupId((uint)row[0].Integer)).ToHashSet(),
            imports.Result.Rows.ToDictionary(row => Guid.Parse(row[0].Text), row => ImportCatalogue.StateOf(row[1].Text)));
    }

    private static DatabaseInfo Describe(SqlValue[] row)
    {
        var (id, name) = (new GroupId((uint)row[0].Integer), row[1].Text);
        if (id == GroupId.System || !DatabaseName.IsForUsers(name))
            throw new InvalidDataException($"_system lists a database \"{name}\" with number {id.Value}, which no command can have created.");
        if (!AckPolicyText.TryParse(row[4].Text, out var ack, out var error))
            throw new InvalidDataException($"Database \"{name}\" has the ack level \"{row[4].Text}\" in _system: {error}");
        return new DatabaseInfo(id, name, row[2].Text, row[3].Text, ack, row[5].Kind == SqlValueKind.Null ? null : Guid.Parse(row[5].Text));
    }
}
