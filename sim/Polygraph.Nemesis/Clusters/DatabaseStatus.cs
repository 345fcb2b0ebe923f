using System.Text.Json;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Clusters;

/// <summary>A database as one node knows it.</summary>
/// <param name="Leader">Who leads; null if the node knows nobody.</param>
/// <param name="Term">The newest term that it knows.</param>
/// <param name="Own">The node's own copy; null if it has none.</param>
internal sealed record DatabaseStatus(string? Leader, ulong Term, CopyStatus? Own)
{
    /// <summary>
    /// Whether the node says that it leads in <see cref="Term"/>. One that has heard of a newer term, and still has to see that its own is over, says of its
    /// copy that it leads and names the other as the leader.
    /// </summary>
    public bool Leads(string node) => Own is { Leads: true } && Leader == node;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Asks a node; null if it does not answer or does not know the database.</summary>
    public static async Task<DatabaseStatus?> AskAsync(NodeClient node, string database)
        => await node.SendAsync(HttpMethod.Get, $"/v1/db/{database}", Patience).ConfigureAwait(false) is Exchange.Answered { Status: 200 } answer
            ? From(answer.Body, node.Node)
            : null;

    private static DatabaseStatus From(JsonElement view, string node)
    {
        var own = view.GetProperty("replicas").EnumerateArray().FirstOrDefault(replica => Exchange.Text(replica, "node") == node);
        return new DatabaseStatus(
            Exchange.Text(view, "leader"),
            view.GetProperty("term").GetUInt64(),
            own.ValueKind == JsonValueKind.Undefined
                ? null
                : new CopyStatus(
                    Exchange.Text(own, "role") == "leader",
                    Index(own, "committed"),
                    Index(own, "applied"),
                    Exchange.Text(own, "digest"),
                    own.GetProperty("serving").GetBoolean(),
                    Exchange.Text(own, "reason")));
    }

    private static ulong? Index(JsonElement replica, string name)
        => Exchange.Member(replica, name) is { ValueKind: JsonValueKind.Number } index ? index.GetUInt64() : null;
}

/// <summary>A copy of a database, by its node's own account.</summary>
internal sealed record CopyStatus(bool Leads, ulong? Committed, ulong? Applied, string? Digest, bool Serving, string? Reason);
