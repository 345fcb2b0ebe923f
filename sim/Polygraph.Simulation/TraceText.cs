using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.Messages;

namespace Polygraph.Simulation;

/// <summary>Inputs, effects and messages in one line each, for the readers of traces and scenarios.</summary>
public static class TraceText
{
    public static string Of(Input input)
        => input switch
        {
            Input.Tick => "tick",
            Input.Received received => $"from {received.From}: {Of(received.Message)}",
            Input.Persisted persisted => $"persisted {persisted.Last}",
            Input.NoOpEncoded encoded => $"no-op {encoded.Entry.Position}",
            Input.Proposed proposed => $"proposed g{proposed.Generation} {Of(proposed.Entries)} writes {string.Join(' ', proposed.Writes.Select(Of))}",
            Input.AwaitAck wait => $"await ack {Of(wait.Write)}",
            Input.ReadIndex read => $"read {read.Read} {(read.Minimum is { } minimum ? $"at least {minimum}" : "linearizable")}",
            Input.Disconnected disconnected => $"the connection with {disconnected.Peer} closed",
            Input.HoldUntilCommitted hold => $"hold {hold.Hold} until {hold.Position} is committed",
            _ => input.ToString(),
        };

    public static string Of(Effect effect)
        => effect switch
        {
            Effect.Send send => $"to {send.To}: {Of(send.Message)}",
            Effect.Ship ship => $"to {ship.To}: ship {ship.First}..{ship.Last} in {Of(ship.Request)}",
            Effect.Persist persist => "persist"
                + (persist.CutFrom is { } cut ? $" cut from {cut}" : "")
                + (persist.Entries.Count > 0 ? $" append {Of(persist.Entries)}" : "")
                + (persist.Vote is { } vote ? $" vote {vote.Term} for {vote.For}" : "")
                + string.Concat(persist.Release.Select(outgoing => $"; then to {outgoing.To}: {Of(outgoing.Message)}")),
            Effect.CompleteWrite complete => $"write {complete.Write}: {Of(complete.Result)}",
            Effect.CompleteRead complete => $"read {complete.Read}: {complete.Result.Outcome} {complete.Result.Index}",
            Effect.CompleteHold complete => $"hold {complete.Hold}: {complete.Committed?.ToString() ?? "timed out"}",
            Effect.Announce announce => $"announce {announce.Event.Kind} {announce.Event.Term} {announce.Event.Node} {announce.Event.Detail}",
            _ => effect.ToString(),
        };

    public static string Of(PeerMessage message)
        => message is AppendRequest request
            ? $"append {request.Term} after {request.Previous} {Of(request.Entries)} commit {request.Commit} round {request.Round} echo {request.Echo}"
            : message.ToString();

    public static string Of(WriteResult result)
        => $"{result.Outcome} {(result.Reached ? "reached" : "not reached")}"
            + (result.Receipt is { } receipt ? $" {receipt.Position} {receipt.Achieved} by {string.Join(',', receipt.AckedBy)}{(receipt.Degraded ? " degraded" : "")}" : "")
            + (result.Missing.Count > 0 ? $" missing {string.Join(',', result.Missing)}" : "")
            + (result.Reason is { } reason ? $" ({reason})" : "");

    private static string Of(WriteTicket ticket) => $"{ticket.Write}@{ticket.Position}/{ticket.Policy}";

    private static string Of(IReadOnlyList<LogEntry> entries)
        => entries.Count == 0 ? "[]" : $"[{entries[0].Position}..{entries[^1].Position}]";
}
