using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Wire.Tests.Peers;

/// <summary>Whatever comes in, a frame is decoded or refused with the one typed exception, and never takes much memory.</summary>
public sealed class PeerFrameFuzzTests
{
    private const int Rounds = 200_000;

    /// <summary>An entry of two bytes becomes objects of about a hundred; the rest is a list's first capacity.</summary>
    private const int MemoryFactorMax = 64;
    private const int MemoryBaseMax = 32 * 1024;

    [Theory]
    [InlineData(20260101)]
    [InlineData(42)]
    public void Mutated_frames_are_read_or_refused_and_nothing_else(int seed)
    {
        var mutations = new FrameMutations(seed);
        byte[][] originals =
        [
            .. FrameSamples.All.Values.Select(PeerFrameCodecTests.Encode),
            .. Enumerable.Range(seed, 100).Select(one => PeerFrameCodecTests.Encode(new RandomFrames(one).Next())),
        ];
        var refused = 0;
        for (var round = 0; round < Rounds / 2; round++)
        {
            var bytes = mutations.Mutate(originals[round % originals.Length]);
            if (bytes.Length < PeerFrameCodec.PrefixBytes)
                continue;
            if (round % 8 != 0)
                FrameMutations.Seal(bytes);
            if (!Survives(bytes, $"seed {seed}, round {round}"))
                refused++;
        }

        // Both must happen often, or the mutations miss what they are for.
        Assert.InRange(refused, Rounds / 10, (Rounds / 2) - (Rounds / 50));
    }

    private static bool Survives(byte[] bytes, string where)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            PeerFrameCodecTests.Decode(bytes);
            return true;
        }
        catch (WireFormatException)
        {
            return false;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{where}: {Convert.ToHexString(bytes)}", e);
        }
        finally
        {
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= (MemoryFactorMax * bytes.Length) + MemoryBaseMax, $"{where}: {bytes.Length} bytes took {allocated} of memory.");
        }
    }
}
