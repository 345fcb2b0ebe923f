namespace Polygraph.Node.Importing;

/// <summary>Reads a body that is a file, and has each chunk of it worked on while the next one comes in.</summary>
internal static class BodyChunks
{
    /// <summary>One read, one write, one relay. Of 16 bytes without a rest, as <see cref="Storage.Seeds.SeedDigest"/> wants it.</summary>
    private const int ChunkBytes = 1 << 20;

    /// <summary>
    /// Hands over chunk after chunk, one at a time; all but the last have the same length. When this returns or throws, the work of all chunks is over. Work that
    /// gives up on somebody slow may leave him a chunk that is filled anew: what he was sent must count for nothing then, as in <see cref="SeedRelay"/>.
    /// </summary>
    public static async Task ReadAsync(Stream body, Func<ReadOnlyMemory<byte>, Task> work, CancellationToken cancellation)
    {
        byte[] chunk = new byte[ChunkBytes], spare = new byte[ChunkBytes];
        var working = Task.CompletedTask;
        try
        {
            while (true)
            {
                var read = await body.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
                await working.ConfigureAwait(false);
                if (read == 0)
                    break;
                working = work(chunk.AsMemory(0, read));
                (chunk, spare) = (spare, chunk);
            }
        }
        finally
        {
            // If this failed too, what failed first says why.
            await working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
