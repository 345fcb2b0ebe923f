using Polygraph.Fuzz.Formats;

namespace Polygraph.Fuzz.Running;

/// <summary>Makes an input smaller while it still shows the same failure: pieces are cut out, the largest first, then bytes become zero.</summary>
internal static class Shrinker
{
    /// <summary>Readings of one input; each takes microseconds, unless slowness is what was found.</summary>
    private const int TrialsMax = 20_000;

    public static Failure Shrink(Format format, Failure failure)
    {
        if (failure.Input is not { } smallest)
            return failure;
        var trials = 0;
        for (var piece = Math.Max(1, smallest.Length / 2); piece > 0; piece /= 2)
        {
            for (var at = 0; at < smallest.Length && trials < TrialsMax;)
            {
                byte[] shorter = [.. smallest.AsSpan(0, at), .. smallest.AsSpan(Math.Min(smallest.Length, at + piece))];
                if (FailsAlike(shorter))
                    smallest = shorter;
                else
                    at += piece;
            }
        }

        for (var at = 0; at < smallest.Length && trials < TrialsMax; at++)
        {
            if (smallest[at] == 0)
                continue;
            var plainer = smallest.AsSpan().ToArray();
            plainer[at] = 0;
            if (FailsAlike(plainer))
                smallest = plainer;
        }

        return failure with { Input = smallest };

        bool FailsAlike(byte[] candidate)
        {
            trials++;
            return Trial.Run(format, candidate, checksAccepted: true).Complaint is { } complaint && (failure with { Complaint = complaint }).Kind == failure.Kind;
        }
    }
}
