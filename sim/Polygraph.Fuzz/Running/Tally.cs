namespace Polygraph.Fuzz.Running;

/// <summary>What was seen of one format. One writer at a time; sums of several are made by <see cref="Add"/>.</summary>
internal sealed class Tally
{
    /// <summary>Inputs of fewer bytes count as so many, or a refusal's message would be all that the worst ratio shows.</summary>
    private const int RatioBytesMin = 256;

    public long Inputs { get; private set; }

    public long Accepted { get; private set; }

    public long Refused => Inputs - Accepted;

    public long Bytes { get; private set; }

    /// <summary>Time spent in the reader.</summary>
    public TimeSpan Reading { get; private set; }

    /// <summary>The most bytes that reading took for each byte of an input.</summary>
    public double WorstRatio { get; private set; }

    public TimeSpan WorstTime { get; private set; }

    public void Count(int bytes, bool accepted, long allocated, TimeSpan time)
    {
        Inputs++;
        Bytes += bytes;
        if (accepted)
            Accepted++;
        Reading += time;
        WorstRatio = Math.Max(WorstRatio, (double)allocated / Math.Max(RatioBytesMin, bytes));
        if (time > WorstTime)
            WorstTime = time;
    }

    public void Add(Tally other)
    {
        Inputs += other.Inputs;
        Accepted += other.Accepted;
        Bytes += other.Bytes;
        Reading += other.Reading;
        WorstRatio = Math.Max(WorstRatio, other.WorstRatio);
        WorstTime = other.WorstTime > WorstTime ? other.WorstTime : WorstTime;
    }
}
