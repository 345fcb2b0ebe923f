using Polygraph.Wire.Buffers;
using Polygraph.Wire.Sql;
using Polygraph.Wire.Tests.Peers;

namespace Polygraph.Wire.Tests.Sql;

/// <summary>Whatever comes in, a request or response is decoded or refused with the one typed exception, and never takes much memory.</summary>
public sealed class SqlFuzzTests
{
    private const int Rounds = 60_000;

    /// <summary>A NULL is one byte on the wire and 32 in a row; an argument of two bytes is 40.</summary>
    private const int MemoryFactorMax = 64;
    private const int MemoryBaseMax = 32 * 1024;

    [Fact]
    public void Mutated_requests_are_read_or_refused_and_nothing_else()
        => Fuzz([.. SqlSamples.Requests.Values.Select(SqlRequestCodec.Encode)], seed: 11, bytes => SqlRequestCodec.Decode(bytes));

    [Fact]
    public void Mutated_responses_are_read_or_refused_and_nothing_else()
        => Fuzz([.. SqlSamples.Responses.Values.Select(SqlResponseCodec.Encode)], seed: 12, bytes => SqlResponseCodec.Decode(bytes));

    [Fact]
    public void Mutated_transaction_calls_are_read_or_refused_and_nothing_else()
        => Fuzz([.. TransactionCodecTests.Calls.Select(TransactionCodec.Encode)], seed: 13, bytes => TransactionCodec.DecodeCall(bytes));

    [Fact]
    public void Mutated_transaction_answers_are_read_or_refused_and_nothing_else()
        => Fuzz([.. TransactionCodecTests.Answers.Select(TransactionCodec.Encode)], seed: 14, bytes => TransactionCodec.DecodeAnswer(bytes));

    private static void Fuzz(byte[][] originals, int seed, Action<byte[]> decode)
    {
        var mutations = new FrameMutations(seed);
        var refused = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = mutations.Mutate(originals[round % originals.Length]);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                decode(bytes);
            }
            catch (WireFormatException)
            {
                refused++;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, round {round}: {Convert.ToHexString(bytes)}", e);
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= (MemoryFactorMax * bytes.Length) + MemoryBaseMax, $"seed {seed}, round {round}: {bytes.Length} bytes took {allocated}.");
        }

        Assert.InRange(refused, Rounds / 5, Rounds - (Rounds / 50));
    }
}
