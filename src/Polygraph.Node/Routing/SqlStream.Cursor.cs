using Polygraph.Node.Http;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Routing;

/// <content>Batches whose rows are read as they come.</content>
internal sealed partial class SqlStream
{
    public async Task<(ISqlCursor? Cursor, SqlResponse Response)> OpenCursorAsync(SqlRequest request, SqlStep.Batch batch, CancellationToken cancellation)
    {
        ISqlCursor? cursor = null;
        var ends = clock.Now + request.Budget;
        var response = await gateway.WithinBudgetAsync(
            request,
            async budget =>
            {
                (cursor, var opened) = await TryStreamAsync(request, batch, ends, cancellation, budget).ConfigureAwait(false);
                return opened ?? await RunAsync(request, ends, cancellation, budget).ConfigureAwait(false);
            },
            cancellation).ConfigureAwait(false);
        return (cursor ?? (response is { Problem: null, Result.Steps: [{ } result] } ? new FinishedCursor(result) : null), response);
    }

    /// <summary>A batch that only reads, and leaves the stream as it is, is given out as it runs; null and null for any other.</summary>
    private async Task<(ISqlCursor? Cursor, SqlResponse? Response)> TryStreamAsync(
        SqlRequest request, SqlStep.Batch batch, Instant ends, CancellationToken client, CancellationToken cancellation)
    {
        if (_lost is not null || _transaction is not null || UnitFrame.ConcernsForeignKeys(request.Unit))
            return (null, null);
        var (target, problem) = await gateway.ResolveAsync(request, ends, cancellation).ConfigureAwait(false);
        if (target is not { } found)
            return (null, Failed(problem!));
        var ask = new Ask(found.Replica, found.Session, request, ends, client, cancellation);
        if (_snapshot is { } open)
            return await OutlineAsync(ask, open).ConfigureAwait(false) is { Class: UnitClass.ReadOnly, LeavesOpen: true, WantsWriter: false }
                ? (new SnapshotReadCursor(open, batch.Items, isOwn: false, _limits), _reads.Describe(open, request, ask.Session))
                : (null, null);
        if (await OutlineAsync(ask, null).ConfigureAwait(false) is not { Class: UnitClass.ReadOnly, LeavesOpen: false })
            return (null, null);
        var (read, wrong) = await _reads.OpenAsync(ask.Replica, request, ends, ask.Session, _limits.CursorIdle, _limits.Cursor, cancellation).ConfigureAwait(false);
        return read is null
            ? (null, Failed(wrong!))
            : (new SnapshotReadCursor(read, batch.Items, isOwn: true, _limits), _reads.Describe(read, request, ask.Session));
    }

    /// <summary>What a unit would do, on the snapshot or anew; null if the snapshot is gone.</summary>
    private static async Task<UnitOutline?> OutlineAsync(Ask ask, SnapshotRead? read)
    {
        if (read is null)
        {
            using var reader = await ask.Replica.RentReaderAsync(ask.Cancellation).ConfigureAwait(false);
            return reader.Outline(ask.Request.Unit);
        }

        if (read.Held.TakeUp() is not { } snapshot)
            return null;
        try
        {
            return snapshot.Outline(ask.Request.Unit);
        }
        finally
        {
            read.Held.PutDown();
        }
    }
}
