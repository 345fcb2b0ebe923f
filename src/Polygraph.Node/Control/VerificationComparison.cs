using Polygraph.Node.Http;
using Polygraph.Protocol;

namespace Polygraph.Node.Control;

/// <summary>A replica that is known to be wrong, so that it gets a new copy.</summary>
internal sealed record WrongReplica(NodeId Node, string Table, string Reason);

/// <summary>Compares what the replicas found with one another and with what each had kept incrementally.</summary>
internal static class VerificationComparison
{
    /// <summary>What differs, for people, and whose copy is known to be the wrong one.</summary>
    public static (VerificationReport Report, IReadOnlyList<WrongReplica> Wrong) Compare(
        string database, ulong term, ulong index, NodeId leader, IReadOnlyList<ReplicaVerification> found)
    {
        var expected = Expected(leader, [.. found.Where(replica => replica.Reason is null)]);
        var judged = found.Select(replica => (Found: replica, Judged: Judge(replica, expected)))
            .OrderBy(replica => replica.Judged.Node, StringComparer.Ordinal).ToList();
        var wrong = judged.Select(replica => WrongOf(replica.Found, replica.Judged, expected)).OfType<WrongReplica>().ToList();
        return (new VerificationReport(database, term, index, judged.All(replica => replica.Judged.Equal), [.. judged.Select(replica => replica.Judged)]), wrong);
    }

    /// <summary>
    /// The digest that each table should have: what most replicas kept, each by itself, as the log told them; the leader's if there is no majority.
    /// So a leader whose own copy was changed is found too. Null if nobody can tell: the log keeps no digest of some tables (virtual ones,
    /// AUTOINCREMENT's memory, the schema's text), and without a majority the leader's copy of such a table is as suspect as any.
    /// </summary>
    private static Dictionary<string, string?> Expected(NodeId leader, IReadOnlyList<ReplicaVerification> found)
    {
        var expected = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var name in found.SelectMany(replica => replica.Tables).Select(table => table.Table).Distinct())
        {
            var tables = found.Select(replica => (replica.Node, Table: replica.Tables.FirstOrDefault(table => table.Table == name))).ToList();
            var kept = tables.Select(one => (one.Node, Digest: one.Table?.Kept ?? one.Table?.Digest)).ToList();
            var mostly = kept.GroupBy(one => one.Digest).MaxBy(group => group.Count())!;
            if (mostly.Count() > found.Count / 2)
            {
                if (mostly.Key is not null)
                    expected[name] = mostly.Key;
            }
            else if (tables.All(one => one.Table?.Kept is null))
            {
                expected[name] = null;
            }
            else if (kept.FirstOrDefault(one => one.Node == leader.Value, kept[0]).Digest is { } digest)
            {
                expected[name] = digest;
            }
        }

        return expected;
    }

    private static ReplicaVerification Judge(ReplicaVerification replica, Dictionary<string, string?> expected)
    {
        if (replica.Reason is not null)
            return replica with { Equal = false };
        var tables = replica.Tables
            .Select(table => table with { Equal = table.Equal && expected.GetValueOrDefault(table.Table) == table.Digest })
            .OrderBy(table => table.Table, StringComparer.Ordinal)
            .ToList();
        var undecided = expected.Where(table => table.Value is null).Select(table => table.Key).Order(StringComparer.Ordinal).ToList();
        var missing = Missing(replica, expected);
        var differs = tables.Where(table => !table.Equal).Select(table => table.Table).Except(undecided).ToList();
        var reason = missing.Count > 0 ? $"lacks {string.Join(", ", missing)}"
            : differs.Count > 0 ? $"rows differ in {string.Join(", ", differs)}"
            : undecided.Count > 0 ? $"rows differ in {string.Join(", ", undecided)}, and there is no majority that says whose are wrong: start the other nodes and verify again"
            : null;
        return replica with { Tables = tables, Equal = reason is null, Reason = reason };
    }

    private static List<string> Missing(ReplicaVerification replica, Dictionary<string, string?> expected)
        => [.. expected.Where(table => table.Value is not null).Select(table => table.Key).Except(replica.Tables.Select(table => table.Table)).Order(StringComparer.Ordinal)];

    // Who did not answer, or could not read, is not wrong: that is found where it happened.
    private static WrongReplica? WrongOf(ReplicaVerification found, ReplicaVerification judged, Dictionary<string, string?> expected)
    {
        if (found.Reason is not null || judged.Tables.Count == 0)
            return null;
        var table = judged.Tables.FirstOrDefault(table => !table.Equal && !IsUndecided(table.Table))?.Table;
        return table is not null || Missing(found, expected).Count > 0 ? new WrongReplica(new NodeId(judged.Node), table ?? "", judged.Reason!) : null;

        bool IsUndecided(string name) => expected.TryGetValue(name, out var digest) && digest is null;
    }
}
