using System.Buffers;
using Polygraph.Node.Http;

namespace Polygraph.Node.Tests.Http;

/// <summary>The web server's memory: large blocks while few are used, small ones beyond, so that many connections hold little.</summary>
public sealed class BodyBuffersTests
{
    private const int LargeMax = 128;

    [Fact]
    public void All_pools_together_have_so_many_large_blocks_and_lend_them_again()
    {
        var buffers = new BodyBuffers();
        using MemoryPool<byte> one = buffers.Create(), other = buffers.Create();
        var lent = Enumerable.Range(0, LargeMax).Select(i => (i % 2 == 0 ? one : other).Rent(4096)).ToList();
        Assert.All(lent, block => Assert.Equal(1 << 16, block.Memory.Length));
        using (var small = one.Rent(4096))
            Assert.InRange(small.Memory.Length, 4096, 8192);

        lent[0].Dispose();
        using var again = other.Rent(4096);
        Assert.Same(lent[0], again);
    }
}
