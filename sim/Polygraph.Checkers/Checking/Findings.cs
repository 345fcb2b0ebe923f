namespace Polygraph.Checkers.Checking;

/// <summary>What a checker has found so far.</summary>
internal sealed class Findings(bool isCut)
{
    /// <summary>Witnesses kept of each kind; the rest is counted.</summary>
    private const int WitnessesMax = 3;

    private readonly List<Anomaly> _anomalies = [];
    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly List<string> _notes = [];

    public IReadOnlyList<Anomaly> Anomalies => _anomalies;

    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>What the line of the verdict says besides the shares.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Why it could not be decided; null if it could.</summary>
    public string? Undecided { get; private set; }

    /// <summary>Why the history proves nothing to this checker; null if it does.</summary>
    public string? Refusal { get; private set; }

    public bool IsCut => isCut;

    /// <summary>The witness is put into words only if it is kept.</summary>
    public void Add(string kind, Func<string> witness)
    {
        var count = _counts.GetValueOrDefault(kind);
        _counts[kind] = count + 1;
        if (count < WitnessesMax)
            _anomalies.Add(new Anomaly(kind, witness()));
    }

    /// <summary>A value that no line of the history wrote. In a cut history its operation may be one that was under way.</summary>
    public void AddPhantom(Func<string> witness)
    {
        if (isCut)
            Undecide($"the history is cut, and a value may come from an operation that was under way: {witness()}");
        else
            Add(AnomalyKinds.Phantom, witness);
    }

    public void Undecide(string why) => Undecided ??= why;

    public void Refuse(string why) => Refusal ??= why;

    public void Note(FormattableString note) => _notes.Add(FormattableString.Invariant(note));
}
