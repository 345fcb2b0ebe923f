using Polygraph.Node.Importing;

namespace Polygraph.Node.Tests.Importing;

/// <summary>A body is worked on chunk by chunk, in order, and by nobody any more once reading it is over.</summary>
public sealed class BodyChunksTests
{
    private const int ChunkBytes = 1 << 20;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(ChunkBytes, 1)]
    [InlineData((2 * ChunkBytes) + 5, 3)]
    public async Task All_bytes_come_in_order_in_chunks_of_one_length(int length, int chunks)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        var lengths = new List<int>();
        using var received = new MemoryStream();
        await BodyChunks.ReadAsync(new MemoryStream(content), async chunk =>
        {
            await Task.Yield();
            lengths.Add(chunk.Length);
            received.Write(chunk.Span);
        }, TestContext.Current.CancellationToken);
        Assert.Equal(chunks, lengths.Count);
        Assert.All(lengths.SkipLast(1), one => Assert.Equal(ChunkBytes, one));
        Assert.Equal(content, received.ToArray());
    }

    [Fact]
    public async Task What_failed_is_told_and_no_chunk_comes_after_it()
    {
        var count = 0;
        await Assert.ThrowsAsync<IOException>(() => BodyChunks.ReadAsync(new MemoryStream(new byte[5 * ChunkBytes]), async _ =>
        {
            await Task.Yield();
            if (++count == 2)
                throw new IOException("full");
        }, TestContext.Current.CancellationToken));
        Assert.Equal(2, count);
    }

    [Fact]
    public async Task A_body_that_breaks_off_waits_for_the_work_that_runs()
    {
        using var release = new SemaphoreSlim(0);
        var reading = BodyChunks.ReadAsync(new BreaksOff(), _ => release.WaitAsync(TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        Assert.False(reading.IsCompleted);
        release.Release();
        await Assert.ThrowsAsync<IOException>(() => reading);
    }

    /// <summary>One chunk of zeros, then an error.</summary>
    private sealed class BreaksOff : MemoryStream
    {
        private int _left = ChunkBytes;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = Math.Min(buffer.Length, _left);
            _left -= count;
            return count > 0 ? ValueTask.FromResult(count) : ValueTask.FromException<int>(new IOException("gone"));
        }
    }
}
