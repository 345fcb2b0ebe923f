using System.Text.Json;
using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Wire.Peers;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Libraries;

/// <summary>"Could you do this to this schema?"</summary>
internal sealed record SchemaTrialRequest(IReadOnlyList<string> Schema, IReadOnlyList<SchemaOperation> Operations);

/// <summary>What failed, with which library; nothing if the member could.</summary>
internal sealed record SchemaTrialReply(string Version, IReadOnlyList<TrialFailure> Failures);

/// <summary>Asks another node to try a plan; null if it did not answer.</summary>
internal delegate Task<SchemaTrialReply?> AskTrial(NodeId node, SchemaPlan plan);

/// <summary>
/// On a leader: has a schema change tried by a member of every other SQLite library in the cluster before it is made, so that no replica is told
/// to apply what it cannot. Pool threads; the writer does other work meanwhile.
/// </summary>
internal sealed class SchemaTrials(LibraryCensus census, AskTrial ask)
{
    /// <summary>A trial in memory takes milliseconds; a member that takes so long is as good as gone.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Why the plan cannot be carried out on every replica; null if it can.</summary>
    public async Task<SqlProblem?> RefusalAsync(SchemaPlan plan)
    {
        var own = SchemaTrial.Run(plan).Select(failure => failure.What).ToHashSet(StringComparer.Ordinal);
        foreach (var library in census.OtherLibraries().GroupBy(member => member.Library))
        {
            // What one node of a library can do, all can.
            var (member, reply) = await AskAnyAsync(library, plan).ConfigureAwait(false);
            if (reply is null)
                return Problems.LibraryUnknown(census, member);

            // What this node's own library cannot do either (an INSERT into a view without triggers) says nothing about the difference.
            if (reply.Failures.FirstOrDefault(failure => !own.Contains(failure.What)) is { } failure)
                return Problems.LibrariesDiffer(census, member.Node, reply.Version, failure);
        }

        return null;
    }

    /// <summary>Answers <see cref="PeerMethod.SchemaTrial"/>.</summary>
    public static SchemaTrialReply Answer(SchemaTrialRequest request, LibraryIdentity own)
        => new(own.Version, SchemaTrial.Run(new SchemaPlan(request.Schema, request.Operations)));

    /// <summary>Asks over the peer connections.</summary>
    public static AskTrial Over(PeerCalls calls)
        => async (node, plan) =>
        {
            var request = JsonSerializer.SerializeToUtf8Bytes(new SchemaTrialRequest(plan.Schema, plan.Operations), LibraryJson.Default.SchemaTrialRequest);
            var answer = await calls.CallAsync(node, PeerMethod.SchemaTrial, request, Patience, CancellationToken.None).ConfigureAwait(false);
            return answer.Answer is { } bytes ? JsonSerializer.Deserialize(bytes.Span, LibraryJson.Default.SchemaTrialReply) : null;
        };

    private async Task<(MemberLibrary Member, SchemaTrialReply? Reply)> AskAnyAsync(IGrouping<LibraryIdentity?, MemberLibrary> library, SchemaPlan plan)
    {
        // A member that never told may run anything, and one of them cannot answer for another.
        if (library.Key is not null)
            foreach (var member in library)
                if (await ask(member.Node, plan).ConfigureAwait(false) is { } reply)
                    return (member, reply);
        return (library.First(), null);
    }
}
