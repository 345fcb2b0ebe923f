using Polygraph.Node.Control;
using Polygraph.Node.Groups;
using Polygraph.Protocol;

namespace Polygraph.Node.Routing;

/// <summary>Who leads a database, and how it is asked.</summary>
internal sealed class LeaderCalls(NodeId self, StatusBoard status, PeerCalls calls)
{
    /// <summary>The leader keeps to the time that it is given; this much more, and its answer has arrived.</summary>
    private static readonly TimeSpan AnswerGrace = TimeSpan.FromMilliseconds(500);

    /// <summary>Whoever leads and can be reached from here, this node included; none if nobody is known to.</summary>
    public NodeId Find(Replica replica)
    {
        if (replica.View.Serving)
            return self;

        // A replica that stopped knows no leader any more; the other nodes still say who leads.
        var leader = replica.Failure is null ? replica.View.Leader : status.LeaderOf(replica.Database.Id);
        return leader.IsNone || leader == self || !status.IsConnected(leader) ? NodeId.None : leader;
    }

    /// <summary>Lost also when somebody else leads by now: a paused leader closes no connection.</summary>
    public async Task<CallResult> AskAsync(
        Replica replica, NodeId leader, PeerMethod method, byte[] payload, TimeSpan left, CancellationToken cancellation)
    {
        using var superseded = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var call = calls.CallAsync(leader, method, payload, left + AnswerGrace, superseded.Token);
        while (!call.IsCompleted)
        {
            var changed = replica.NextChange();
            var now = replica.View.Leader;
            if (!now.IsNone && now != leader)
            {
                await superseded.CancelAsync().ConfigureAwait(false);
                await ((Task)call).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return call.IsCompletedSuccessfully ? await call.ConfigureAwait(false) : CallResult.Lost;
            }

            await Task.WhenAny(call, changed).ConfigureAwait(false);
        }

        return await call.ConfigureAwait(false);
    }

    /// <summary>Says something that wants no answer.</summary>
    public void Tell(NodeId leader, PeerMethod method, byte[] payload) => calls.Tell(leader, method, payload);
}
