namespace Polygraph.SqlFuzz.Generation;

/// <summary>How often each part of the grammar was drawn, and how its statements ended.</summary>
internal sealed class Coverage
{
    private readonly SortedDictionary<string, int[]> _counts = new(StringComparer.Ordinal);

    /// <summary>Features, with how many of their statements succeeded, failed as plain SQLite does, and were refused by Polygraph.</summary>
    public IEnumerable<(string Feature, int Ok, int Failed, int Refused)> Rows
        => _counts.Select(pair => (pair.Key, pair.Value[0], pair.Value[1], pair.Value[2]));

    public void Count(IEnumerable<string> features, bool failed, bool refused)
    {
        foreach (var feature in features)
        {
            if (!_counts.TryGetValue(feature, out var counts))
                _counts[feature] = counts = new int[3];
            counts[refused ? 2 : failed ? 1 : 0]++;
        }
    }
}
