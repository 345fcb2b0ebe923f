using System.Text.Json;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Libraries;
using Polygraph.Node.Reseeding;
using Polygraph.Node.Routing;
using Polygraph.Protocol;

namespace Polygraph.Node.Control;

/// <summary>What this node does for the others when they ask: each method goes to whom it concerns.</summary>
internal sealed class PeerMethods(
    Gateway gateway, TransactionHost transactions, StatusBoard status, Verifications verifications, LibraryCensus libraries, SnapshotSources snapshots, DatabaseRegistry databases, ILogger logger)
{
    public async Task<byte[]?> AnswerAsync(NodeId from, PeerMethod method, ReadOnlyMemory<byte> payload, CancellationToken gone)
    {
        try
        {
            switch (method)
            {
                case PeerMethod.Sql:
                    return await gateway.AnswerForwardedAsync(payload).ConfigureAwait(false);
                case PeerMethod.Transaction:
                    return await transactions.AnswerAsync(from, payload, gone).ConfigureAwait(false);
                case PeerMethod.Mark:
                    var mark = JsonSerializer.Deserialize(payload.Span, ControlJson.Default.MarkRequest)!;
                    return JsonSerializer.SerializeToUtf8Bytes(await verifications.MarkHereAsync(mark).ConfigureAwait(false), ControlJson.Default.MarkReply);
                case PeerMethod.Scan:
                    var scan = JsonSerializer.Deserialize(payload.Span, ControlJson.Default.ScanRequest)!;
                    return JsonSerializer.SerializeToUtf8Bytes(
                        await verifications.ScanResultAsync(scan).ConfigureAwait(false), ControlJson.Default.ReplicaVerification);
                case PeerMethod.SchemaTrial:
                    var trial = JsonSerializer.Deserialize(payload.Span, LibraryJson.Default.SchemaTrialRequest)!;
                    return JsonSerializer.SerializeToUtf8Bytes(SchemaTrials.Answer(trial, libraries.Own), LibraryJson.Default.SchemaTrialReply);
                case PeerMethod.Status:
                    status.Heard(from, payload.Span);
                    return null;
                case PeerMethod.Snapshot:
                    var request = JsonSerializer.Deserialize(payload.Span, ReseedJson.Default.SnapshotRequest)!;
                    return JsonSerializer.SerializeToUtf8Bytes(
                        snapshots.Answer(from, databases.Find(new GroupId(request.Group)), request), ReseedJson.Default.SnapshotReply);
                case PeerMethod.Diverged:
                    verifications.Diverged(JsonSerializer.Deserialize(payload.Span, ReseedJson.Default.DivergedNotice)!);
                    return null;
                default:
                    throw new InvalidDataException($"{from} called method {(byte)method}, which this version does not know.");
            }
        }
#pragma warning disable CA1031 // Not hidden: logged; the caller gets no answer and says that the outcome is not known.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ControlLog.CallFailed(logger, from, e);
            return null;
        }
    }
}
