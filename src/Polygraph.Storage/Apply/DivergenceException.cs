using Polygraph.Protocol;

namespace Polygraph.Storage;

/// <summary>
/// This replica's rows are not those of the leader. It must stop serving and be seeded anew. Nothing of the list of entries in which this
/// was found has been committed.
/// </summary>
/// <param name="table">The table whose rows differ.</param>
/// <param name="position">The entry at which it was noticed; the damage may be older.</param>
/// <param name="expected">The digest that the entry's header states, null if the row to change was missing or in the way.</param>
/// <param name="found">The digest of the rows found here, null likewise.</param>
/// <param name="detail">What was found.</param>
public sealed class DivergenceException(string table, Position position, Digest128? expected, Digest128? found, string detail)
    : Exception($"Table \"{table}\" of this replica differs from the leader's at {position}: {detail}. It is replaced by a copy from another node, if there is one.")
{
    public string Table { get; } = table;

    public Position Position { get; } = position;

    public Digest128? Expected { get; } = expected;

    public Digest128? Found { get; } = found;
}
