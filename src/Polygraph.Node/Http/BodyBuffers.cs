using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Polygraph.Node.Http;

/// <summary>
/// The memory between sockets and requests. What comes with the web server are blocks of 4 KiB, each of which takes two calls of the kernel to be filled:
/// half a million of them for a gibibyte. As long as few blocks are in use they are large here; a node with thousands of connections takes small ones
/// besides, so that what they hold is bounded.
/// </summary>
internal sealed class BodyBuffers : IMemoryPoolFactory<byte>
{
    private const int LargeBytes = 1 << 16;
    private const int SmallBytes = 1 << 12;

    /// <summary>Eight bodies of files that come in at once, of which the server reads up to 1 MiB ahead: 8 MiB of memory at most, and never given back.</summary>
    private const int LargeMax = 128;

    // Of all pools, of which the web server makes one a processor.
    private readonly ConcurrentQueue<Large> _unused = new();
    private int _made;

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new Pool(this);

    private Large? TryRent()
    {
        if (_unused.TryDequeue(out var block))
            return block;
        return Volatile.Read(ref _made) < LargeMax && Interlocked.Increment(ref _made) <= LargeMax ? new Large(_unused) : null;
    }

    private sealed class Pool(BodyBuffers buffers) : MemoryPool<byte>
    {
        // The server asks for no more at once, and uses what it gets beyond that.
        public override int MaxBufferSize => SmallBytes;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, SmallBytes);
            return (IMemoryOwner<byte>?)buffers.TryRent() ?? Shared.Rent(SmallBytes);
        }

        protected override void Dispose(bool disposing)
        {
        }
    }

    /// <summary>Comes back when whoever rented it lets it go. Pinned, because the kernel writes into it.</summary>
    private sealed class Large(ConcurrentQueue<Large> unused) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = GC.AllocateUninitializedArray<byte>(LargeBytes, pinned: true);

        public void Dispose() => unused.Enqueue(this);
    }
}
