using System.Buffers.Binary;
using Polygraph.Fuzz.Drawing;
using Polygraph.Fuzz.Formats;
using Polygraph.Fuzz.Running;

namespace Polygraph.Fuzz.Tests;

/// <summary>A fuzzer that finds nothing proves something only if it finds what is there.</summary>
public sealed class PlantedBugTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(Bug.TrustsACount, "IndexOutOfRangeException")]
    [InlineData(Bug.AllocatesWhatIsClaimed, "bytes of memory")]
    [InlineData(Bug.AllocatesWithTheSquare, "bytes of memory")]
    [InlineData(Bug.LosesTheLastItem, "What was written and read back")]
    [InlineData(Bug.RefusesTheEmptyList, "What was written and read back|A valid structure was refused|ListFormatException")]
    public void A_planted_bug_is_found_shrunk_and_repeated_by_its_command(Bug bug, string complaint)
    {
        var format = new PlantedLists(bug);
        var run = new FuzzRun(Options.Default with { Inputs = 100_000 }, [format], _ => { });

        run.Run();

        var failure = Assert.Single(run.Failures.Where(found => complaint.Split('|').Any(part => found.Complaint.Contains(part, StringComparison.Ordinal))).Take(1));
        output.WriteLine($"{failure.Command}\n{(failure.Input is { } input ? Convert.ToHexStringLower(input) : "")}\n{failure.Complaint.Split('\n')[0]}");
        Assert.True(failure.Input is null or { Length: <= 200_000 });
        var again = new List<Failure>();
        using var watchdog = new Watchdog(FuzzRun.Patience, _ => { });
        Batch.Run(format, failure.Seed, failure.Number + 1, new Tally(), watchdog, again.Add);
        Assert.Contains(again, found => found.Kind == failure.Kind);
    }

    [Fact]
    public void The_same_reader_without_a_bug_is_clean()
    {
        var run = new FuzzRun(Options.Default with { Inputs = 100_000 }, [new PlantedLists(Bug.None)], _ => { });

        run.Run();

        Assert.Empty(run.Failures);
    }

    [Fact]
    public void A_small_input_is_left_of_a_large_one()
    {
        var run = new FuzzRun(Options.Default with { Inputs = 100_000 }, [new PlantedLists(Bug.TrustsACount)], _ => { });

        run.Run();

        Assert.True(run.Failures.Single().Input!.Length <= 4, Convert.ToHexString(run.Failures.Single().Input!));
    }

    [Fact]
    public void A_reader_that_does_not_end_is_named_with_its_input()
    {
        using var hung = new ManualResetEventSlim();
        Failure? told = null;
        using var watchdog = new Watchdog(TimeSpan.FromMilliseconds(50), failure =>
        {
            told = failure;
            hung.Set();
        });

        watchdog.Watch(new PlantedLists(Bug.None), 5, 17, [1, 2, 3]);

        Assert.True(hung.Wait(Limit), "the watchdog did not say that an input is being read for too long");
        Assert.Equal((5UL, 17, "010203"), (told!.Seed, told.Number, Convert.ToHexString(told.Input!)));
    }

    [Fact]
    public void Slowness_is_found()
    {
        var slow = Trial.Run(new PlantedLists(Bug.WaitsForNobody), [0], checksAccepted: false);

        Assert.Contains("the limit is", slow.Complaint, StringComparison.Ordinal);
    }

    public enum Bug
    {
        None,
        TrustsACount,
        AllocatesWhatIsClaimed,
        AllocatesWithTheSquare,
        LosesTheLastItem,
        RefusesTheEmptyList,
        WaitsForNobody,
    }

    /// <summary>A list of numbers of two bytes, with their count before them; and a reader with one of the mistakes that readers have.</summary>
    private sealed class PlantedLists(Bug bug) : Codec<ushort[]>
    {
        public override string Name => "planted-lists";

        protected override ushort[] DrawValue(Dice dice) => dice.Many(() => (ushort)dice.Bits(), 4, 3000);

        protected override byte[] Encode(ushort[] value)
        {
            var bytes = new byte[4 + (2 * value.Length)];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)value.Length);
            for (var i = 0; i < value.Length; i++)
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4 + (2 * i)), value[i]);
            return bytes;
        }

        protected override ushort[] Decode(byte[] bytes)
        {
            if (bug == Bug.WaitsForNobody)
                new ManualResetEventSlim().Wait(Trial.TimeMax + TimeSpan.FromMilliseconds(100));
            if (bytes.Length < 4)
                throw new ListFormatException();
            var count = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            if (bug == Bug.TrustsACount && count < 100 && count * 2 > bytes.Length - 4)
                return [bytes[(int)(4 + (count * 2))]];
            if (bug == Bug.AllocatesWhatIsClaimed && count < 1 << 24)
                GC.KeepAlive(new ushort[count]);
            if (count * 2L != bytes.Length - 4 || (count == 0 && bug == Bug.RefusesTheEmptyList))
                throw new ListFormatException();
            var items = new ushort[bug == Bug.LosesTheLastItem ? Math.Max(0, count - 1) : count];
            for (var i = 0; i < items.Length; i++)
            {
                items[i] = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(4 + (2 * i)));
                if (bug == Bug.AllocatesWithTheSquare)
                    GC.KeepAlive(items[..i]);
            }

            return items;
        }

        protected override bool IsRefusal(Exception exception) => exception is ListFormatException;
    }

    private sealed class ListFormatException : Exception;
}
