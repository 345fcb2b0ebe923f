namespace Polygraph.Node.Tests;

public sealed class BackgroundLoopsTests
{
    [Fact]
    public async Task A_loop_that_fails_says_which_it_was_and_why()
    {
        await using var loops = new BackgroundLoops();
        loops.Run("good loop", UntilStopped);
        loops.Run("trimming of logs", _ => throw new InvalidOperationException("the log is not there"));
        var failure = await loops.Failed.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("The node's trimming of logs has failed: the log is not there", failure.Message);
        Assert.IsType<InvalidOperationException>(failure.InnerException);
    }

    [Fact]
    public async Task Stopping_ends_the_loops_and_is_no_failure()
    {
        var ended = false;
        var loops = new BackgroundLoops();
        loops.Run("loop", async stopping =>
        {
            try
            {
                await UntilStopped(stopping);
            }
            finally
            {
                ended = true;
            }
        });
        await loops.DisposeAsync();
        Assert.True(ended);
        Assert.False(loops.Failed.IsCompleted);
        loops.Run("late loop", _ => throw new InvalidOperationException("not begun"));
        await loops.DisposeAsync();
        Assert.False(loops.Failed.IsCompleted);
    }

    private static Task UntilStopped(CancellationToken stopping) => new TaskCompletionSource().Task.WaitAsync(stopping);
}
