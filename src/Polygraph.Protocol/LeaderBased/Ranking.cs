namespace Polygraph.Protocol.LeaderBased;

/// <summary>Which value so many voters have reached: asked at every step of a leader, of as many values as there are voters.</summary>
internal static class Ranking
{
    /// <summary>The <paramref name="n"/>th largest of the values, counted from 1. Puts them in order, in place: with a handful, by insertion.</summary>
    public static T NthLargest<T>(Span<T> values, int n) where T : struct, IComparable<T>
    {
        for (var i = 1; i < values.Length; i++)
        {
            var value = values[i];
            var place = i;
            for (; place > 0 && values[place - 1].CompareTo(value) > 0; place--)
                values[place] = values[place - 1];
            values[place] = value;
        }

        return values[^n];
    }
}
