using System.Diagnostics;
using Polygraph.Fuzz.Formats;

namespace Polygraph.Fuzz.Running;

/// <summary>What reading an input came to.</summary>
/// <param name="Accepted">Whether the reader took it.</param>
/// <param name="Allocated">The bytes of memory that it took for that, whether they were kept or not.</param>
/// <param name="Time">How long it took, by the clock on the wall.</param>
/// <param name="Complaint">What is wrong with that; null if nothing is.</param>
internal readonly record struct Verdict(bool Accepted, long Allocated, TimeSpan Time, string? Complaint);

/// <summary>Gives one input to one reader and judges what happens.</summary>
internal static class Trial
{
    /// <summary>Inputs have at most a megabyte, which every reader reads in some milliseconds; what takes this long does not end soon enough.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(1);

    /// <summary>A pause of the machine is no fault of the reader: what was slow once is tried so often again.</summary>
    private const int SlowRepeats = 3;

    /// <param name="format">Who reads.</param>
    /// <param name="input">What.</param>
    /// <param name="checksAccepted">Whether an accepted input is looked at closer.</param>
    public static Verdict Run(Format format, byte[] input, bool checksAccepted)
    {
        var verdict = Once(format, input);
        for (var repeat = 0; repeat < SlowRepeats && verdict is { Complaint: null } && verdict.Time > TimeMax; repeat++)
        {
            var again = Once(format, input);
            verdict = again.Time < verdict.Time ? again : verdict;
        }

        if (verdict.Complaint is not null)
            return verdict;
        if (verdict.Time > TimeMax)
            return verdict with { Complaint = $"Reading {input.Length} bytes took {verdict.Time.TotalSeconds:F1} s; the limit is {TimeMax.TotalSeconds} s." };
        var allowed = format.AllocationBaseMax + ((long)format.AllocationFactorMax * input.Length);
        if (verdict.Allocated > allowed)
            return verdict with { Complaint = $"Reading {input.Length} bytes took {verdict.Allocated} bytes of memory; the limit is {allowed}." };
        return checksAccepted && verdict.Accepted ? verdict with { Complaint = CheckAccepted(format, input) } : verdict;
    }

    private static Verdict Once(Format format, byte[] input)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var started = Stopwatch.GetTimestamp();
        var accepted = false;
        string? complaint = null;
        try
        {
            accepted = format.Accepts(input);
        }
#pragma warning disable CA1031 // Not hidden: finding whatever escapes a reader is what this program is for.
        catch (Exception escaped)
#pragma warning restore CA1031
        {
            complaint = escaped.ToString();
        }

        return new(accepted, GC.GetAllocatedBytesForCurrentThread() - before, Stopwatch.GetElapsedTime(started), complaint);
    }

    private static string? CheckAccepted(Format format, byte[] input)
    {
        try
        {
            format.CheckAccepted(input);
            return null;
        }
#pragma warning disable CA1031 // Not hidden: it is the complaint.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            return broken.ToString();
        }
    }
}
