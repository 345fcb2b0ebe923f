namespace Polygraph.Node;

/// <summary>
/// What a node does by itself, again and again, until it stops. A loop that ends by an exception is not missed by any request, so it ends the node: one
/// that trims no logs and tells nobody its status looks healthy until it harms. Thread-safe.
/// </summary>
internal sealed class BackgroundLoops : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<NodeStartException> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> _loops = [];
    private bool _stopped;

    /// <summary>Completes when the first loop has failed, with what to say of it.</summary>
    public Task<NodeStartException> Failed => _failed.Task;

    /// <summary>Begins a loop, on another thread; it ends when its token is cancelled. Once the loops are stopped, nothing begins.</summary>
    /// <param name="what">What it does, after "The node's".</param>
    /// <param name="loop">The loop.</param>
    public void Run(string what, Func<CancellationToken, Task> loop)
    {
        lock (_loops)
            if (!_stopped)
                _loops.Add(WatchAsync(what, Task.Run(() => loop(_stopping.Token))));
    }

    /// <summary>Stops the loops and waits for their ends.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_loops)
        {
            if (_stopped)
                return;
            _stopped = true;
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_loops).ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task WatchAsync(string what, Task loop)
    {
        try
        {
            await loop.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // As it should end.
        }
#pragma warning disable CA1031 // Not hidden: the node ends with it as its reason.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failed.TrySetResult(new NodeStartException(
                $"The node's {what} has failed: {e.Message}", "The other nodes go on. Start this one again; if it ends so again, report the message.", e));
        }
    }
}
