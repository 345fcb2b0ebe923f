using System.Collections.Concurrent;
using Polygraph.Node.Control;
using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Routing;

/// <summary>
/// The transactions over several requests that this node hosts as a leader, for streams that it or its peers hold. One that loses the node that
/// holds its stream is undone.
/// </summary>
internal sealed class TransactionHost(NodeId self, DatabaseRegistry databases, ClusterIdentity identity, WritePath writes, TransactionLimits limits)
{
    /// <summary>
    /// A COMMIT alone, which asks what became of a transaction when it comes with a transaction's key: every such entry carries the hash of this.
    /// </summary>
    public static readonly SqlUnit Question = new(UnitMode.Autocommit, [new SqlStep.Execute(new SqlStatement("COMMIT", []))]);

    private readonly ConcurrentDictionary<(NodeId Holder, Guid Id), Hosted> _hosted = new();
    private readonly AbandonedTransactions _abandoned = new();

    /// <summary>Whether a request is that question.</summary>
    public static bool IsQuestion(SqlRequest request)
        => request.IdempotencyKey is not null
            && request.Unit is { Mode: UnitMode.Autocommit, Steps: [SqlStep.Execute { Statement: { Arguments.Count: 0 } statement }] }
            && statement.Text.AsSpan().Trim().TrimEnd(';').TrimEnd().Equals("COMMIT", StringComparison.OrdinalIgnoreCase);

    /// <summary>Answers another node; null for what wants no answer.</summary>
    public async Task<byte[]?> AnswerAsync(NodeId holder, ReadOnlyMemory<byte> payload, CancellationToken gone)
    {
        TransactionCall call;
        try
        {
            call = TransactionCodec.DecodeCall(payload);
        }
        catch (WireFormatException e)
        {
            return TransactionCodec.Encode(Closed(Problems.Invalid("FORWARD_INVALID", e.Message)));
        }

        if (call.Verb == TransactionVerb.Abandon)
        {
            Abandon(holder, call.Transaction);
            return null;
        }

        var answer = await RunAsync(holder, call, gone).ConfigureAwait(false);
        try
        {
            return TransactionCodec.Encode(answer);
        }
        catch (WireLimitException e)
        {
            var tooLarge = answer.Response with { Result = null, Problem = Problems.AnswerTooLarge(e.Message, answer.Response.Receipt) };
            return TransactionCodec.Encode(answer with { Response = tooLarge });
        }
    }

    /// <summary>Begins a transaction or goes on with it. <c>gone</c> ends with the connection to its holder.</summary>
    public async Task<TransactionAnswer> RunAsync(NodeId holder, TransactionCall call, CancellationToken gone)
    {
        var request = call.Request!;
        var session = request.Session is { } text && SessionToken.TryParse(text, identity.Cluster, out var parsed, out _)
            ? parsed
            : SessionToken.Empty(identity.Cluster);
        var id = (holder, call.Transaction);
        Hosted? hosted;
        TransactionAnswer answer;
        if (call.Verb == TransactionVerb.Continue)
        {
            if (!_hosted.TryGetValue(id, out hosted))
                return Closed(Problems.TransactionLost(TransactionLoss.Abandoned, limits));
            answer = await writes.ContinueAsync(hosted.Replica, hosted.Transaction, request, session).ConfigureAwait(false);
        }
        else
        {
            if (databases.Find(request.Database) is not { View.Serving: true } replica)
                return Closed(Problems.NotLeader(self));
            hosted = new Hosted(replica, new LentTransaction(call.Snapshot));
            if (!_hosted.TryAdd(id, hosted))
                return Closed(Problems.Invalid("FORWARD_INVALID", $"{holder} has begun the transaction {call.Transaction} before."));

            // Invariant: hosted before this look, and looked for after the end is noted; one of the two sees the other.
            if (gone.IsCancellationRequested || _abandoned.Contains(holder, call.Transaction))
            {
                Abandon(holder, call.Transaction);
                return Closed(Problems.TransactionLost(TransactionLoss.Abandoned, limits));
            }

            answer = await writes.BeginAsync(replica, hosted.Transaction, request, session).ConfigureAwait(false);
        }

        // Whatever ended it: if the request was refused on its way, the writer may still be lent.
        if (!answer.IsOpen)
        {
            _hosted.TryRemove(id, out _);
            hosted.Replica.Abandon(hosted.Transaction);
        }

        return answer;
    }

    /// <summary>Undoes a transaction whose stream is over; one that waits for the writer is not begun.</summary>
    public void Abandon(NodeId holder, Guid id)
    {
        _abandoned.Add(holder, id);
        if (_hosted.TryRemove((holder, id), out var hosted))
            hosted.Replica.Abandon(hosted.Transaction);
    }

    /// <summary>The node is gone, and its streams with it.</summary>
    public void OnDisconnected(NodeId holder)
    {
        foreach (var id in _hosted.Keys)
            if (id.Holder == holder)
                Abandon(holder, id.Id);
    }

    private TransactionAnswer Closed(SqlProblem problem) => new(false, new SqlResponse(null, null, null, null, self, problem));

    private sealed record Hosted(Replica Replica, LentTransaction Transaction);
}
