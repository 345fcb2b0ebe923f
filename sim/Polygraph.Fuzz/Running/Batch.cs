using Polygraph.Fuzz.Drawing;
using Polygraph.Fuzz.Formats;

namespace Polygraph.Fuzz.Running;

/// <summary>
/// Inputs of one format from one seed: some valid structures, which must come back as they went, and many damaged copies of them. A batch
/// depends on nothing but format and seed, so one that found something is repeated alone.
/// </summary>
internal static class Batch
{
    /// <summary>The inputs of a batch: enough that the valid ones among them cost little, few enough that a repetition takes no time.</summary>
    public const int InputsMax = 1024;

    private const int ValidCount = 24;

    /// <summary>Of so many accepted inputs one is looked at closer.</summary>
    private const int CheckEach = 8;

    public static void Run(Format format, ulong seed, int inputs, Tally tally, Watchdog watchdog, Action<Failure> report)
    {
        var dice = new Dice(Start(format.Name, seed));
        var valid = new List<byte[]>();
        for (var number = 0; number < inputs; number++)
        {
            var input = number < ValidCount ? DrawValid(format, seed, number, dice, report) : Damaged(format, dice, valid);
            if (input is null)
                return;
            if (number < ValidCount)
                valid.Add(input);

            watchdog.Watch(format, seed, number, input);
            var verdict = Trial.Run(format, input, checksAccepted: number % CheckEach == 0);
            watchdog.Rest();
            tally.Count(input.Length, verdict.Accepted, verdict.Allocated, verdict.Time);
            if (verdict.Complaint is null && number < ValidCount && !verdict.Accepted)
                verdict = verdict with { Complaint = "A valid structure was refused." };
            if (verdict.Complaint is { } complaint)
                report(new Failure(format.Name, seed, number, complaint, input));
        }
    }

    private static byte[]? DrawValid(Format format, ulong seed, int number, Dice dice, Action<Failure> report)
    {
        try
        {
            return format.Draw(dice);
        }
#pragma warning disable CA1031 // Not hidden: it is reported. The rest of the batch rests on what could not be drawn.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            report(new Failure(format.Name, seed, number, broken.ToString(), null));
            return null;
        }
    }

    private static byte[] Damaged(Format format, Dice dice, List<byte[]> valid) => format.Mutate(dice, dice.PickOf(valid), dice.PickOf(valid));

    /// <summary>Another sequence for each format, so that neighbouring formats do not draw the same.</summary>
    private static ulong Start(string name, ulong seed)
    {
        var start = seed * 0x9E3779B97F4A7C15;
        foreach (var letter in name)
            start = (start ^ letter) * 0x100000001B3;
        return start;
    }
}
