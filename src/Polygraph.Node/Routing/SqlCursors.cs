using Polygraph.Node.Http;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Routing;

/// <summary>Reads from a snapshot as the client reads. Between two pieces the snapshot is put down, and lost to who comes too late.</summary>
/// <param name="read">The snapshot.</param>
/// <param name="items">The batch.</param>
/// <param name="isOwn">Whether the snapshot is this cursor's alone, and given back with it.</param>
/// <param name="limits">What the client is told about.</param>
internal sealed class SnapshotReadCursor(SnapshotRead read, IReadOnlyList<BatchItem> items, bool isOwn, TransactionLimits limits) : ISqlCursor
{
    private SnapshotCursor? _cursor;
    private bool _isOver;
    private bool _isDisposed;

    public IReadOnlyList<CursorEntry> Read(CancellationToken cancellation)
    {
        if (_isOver)
            return [];
        if (read.Held.TakeUp() is not { } snapshot)
            return Fail();
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, read.Held.Stop);
            var entries = read.Replica.Read(() => (_cursor ??= snapshot.OpenCursor(items)).Read(stop.Token));
            cancellation.ThrowIfCancellationRequested();
            if (stop.IsCancellationRequested || read.Replica.Failure is not null)
                return Fail();
            _isOver = entries.Count == 0;
            return entries;
        }
        catch (ReplicaUnavailableException)
        {
            return Fail();
        }
        finally
        {
            read.Held.PutDown();
        }
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (isOwn)
        {
            read.Held.Dispose();
        }
        else if (read.Held.TakeUp() is not null)
        {
            _cursor?.Stop();
            read.Held.PutDown();
        }
    }

    private CursorEntry[] Fail()
    {
        _isOver = true;
        var problem = Problems.CursorLost(read.Held.Loss, isOwn ? limits.CursorIdle : limits.Idle, isOwn ? limits.Cursor : limits.Total);
        return [new CursorEntry.Failed(new SqlError(problem.Code, problem.Detail))];
    }
}

/// <summary>The answer to a batch that ran as a unit.</summary>
internal sealed class FinishedCursor(StepResult result) : ISqlCursor
{
    private readonly IEnumerator<CursorEntry[]> _pieces = Entries(result).Chunk(512).GetEnumerator();

    public IReadOnlyList<CursorEntry> Read(CancellationToken cancellation) => _pieces.MoveNext() ? _pieces.Current : [];

    public void Dispose() => _pieces.Dispose();

    private static IEnumerable<CursorEntry> Entries(StepResult result)
    {
        if (result is not StepResult.Batch batch)
        {
            yield return new CursorEntry.Failed(
                result is StepResult.Failed failed ? failed.Error : throw new InvalidOperationException($"A batch was answered by {result.GetType().Name}."));
            yield break;
        }

        for (var i = 0; i < batch.Results.Count; i++)
        {
            if (batch.Errors[i] is { } error)
                yield return new CursorEntry.ItemFailed(i, error);
            if (batch.Results[i] is not { } item)
                continue;
            yield return new CursorEntry.Began(i, item.Columns);
            foreach (var row in item.Rows)
                yield return new CursorEntry.Row(row);
            yield return new CursorEntry.Ended(item.RowsAffected, item.LastInsertRowid);
        }
    }
}
