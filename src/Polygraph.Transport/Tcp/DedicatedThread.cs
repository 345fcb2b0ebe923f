namespace Polygraph.Transport.Tcp;

/// <summary>A thread outside the pool, because what it does must go on when the pool is starved, with an end that can be awaited.</summary>
/// <remarks>An exception that leaves the body ends the process: it is a bug, and nobody else would see it.</remarks>
internal sealed class DedicatedThread
{
    /// <summary>The deepest recursion is a batch's conditions, 32 levels; 256 KiB is a hundred times what that needs.</summary>
    private const int StackBytes = 256 * 1024;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;

    /// <summary>Starts the thread.</summary>
    public DedicatedThread(string name, Action body)
    {
        _thread = new Thread(() => Run(body), StackBytes) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Completes when the body has returned.</summary>
    public Task Ended => _ended.Task;

    public void Join() => _thread.Join();

    private void Run(Action body)
    {
        body();
        _ended.SetResult();
    }
}
