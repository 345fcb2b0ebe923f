namespace Polygraph.Checkers.Registers;

/// <summary>What a search for an order came to.</summary>
internal enum SearchResult
{
    Found,
    Impossible,
    OutOfWork,
}

/// <summary>
/// Searches an order of all calls of a register that respects real time and explains every value that was seen. The search is Wing and Gong's
/// ("Testing and Verifying Concurrent Objects", Journal of Parallel and Distributed Computing 17, 1993) with the memory of configurations that Lowe
/// added ("Testing for linearizability", Concurrency and Computation 29(4), 2017), as Horn and Kroening and Porcupine use it: take any call that
/// could come next, go on, come back if that leads nowhere, and never enter a configuration twice.
/// <para>
/// As every value is written once, most choices are none. A read of the present value may come first, because it changes nothing. While somebody is still to see
/// the present value, no write may come, because that value does not come back. A write whose value nobody saw may come as soon as nobody needs the
/// present value. So only the order of concurrent writes is tried.
/// </para>
/// </summary>
internal sealed class Linearizer
{
    private readonly Call[] _calls;
    private readonly bool[] _done;
    private readonly int[] _observersLeft;
    private readonly long[] _neededBy;
    private readonly Stack<(int Call, int ValueBefore)> _order = new();
    private readonly Stack<Choice> _choices = new();
    private readonly HashSet<Configuration> _seen = [];
    private int _first;
    private int _value = RegisterKey.Initial;
    private int _farthest = -1;

    public Linearizer(RegisterKey register)
    {
        _calls = [.. register.Calls.OrderBy(call => call.Start)];
        _done = new bool[_calls.Length];
        _observersLeft = new int[register.ValueCount];
        _neededBy = new long[register.ValueCount];
        Array.Fill(_neededBy, long.MaxValue);
        foreach (var call in _calls)
        {
            if (call.Observes == RegisterKey.Nothing)
                continue;
            _observersLeft[call.Observes]++;
            _neededBy[call.Observes] = Math.Min(_neededBy[call.Observes], call.End);
        }
    }

    /// <summary>Steps taken.</summary>
    public long Work { get; private set; }

    /// <summary>After <see cref="SearchResult.Impossible"/>: how many calls the longest order held, and which could not follow.</summary>
    public (int Length, IReadOnlyList<Call> Stuck) Farthest { get; private set; } = (0, []);

    public SearchResult Search(long workMax)
    {
        while (_order.Count < _calls.Length)
        {
            if (Work > workMax)
                return SearchResult.OutOfWork;
            var forced = NextForced(out var isDead);
            if (forced >= 0)
                Do(forced);
            else if ((isDead || !Branch()) && !BackUp())
                return SearchResult.Impossible;
        }

        return SearchResult.Found;
    }

    // A call that may come now in every order that exists from here, or -1. Dead: there is no order from here.
    private int NextForced(out bool isDead)
    {
        var (blind, cas) = (-1, -1);
        foreach (var i in Callable())
        {
            var call = _calls[i];
            if (call.Observes == _value && call.Writes == RegisterKey.Nothing)
            {
                isDead = false;
                return i;
            }

            if (call.Observes == _value)
                cas = i;
            else if (call.Observes == RegisterKey.Nothing && _observersLeft[call.Writes] == 0)
                blind = i;
        }

        var left = _observersLeft[_value];
        var next = left == 0 ? blind : left == 1 ? cas : -1;
        isDead = left > 0 && next < 0;
        return next;
    }

    // Undone calls that no other undone call precedes in real time, by start.
    private IEnumerable<int> Callable()
    {
        while (_first < _calls.Length && _done[_first])
            _first++;
        var earliestEnd = long.MaxValue;
        for (var i = _first; i < _calls.Length && _calls[i].Start <= earliestEnd; i++)
        {
            Work++;
            if (_done[i])
                continue;
            earliestEnd = Math.Min(earliestEnd, _calls[i].End);
            yield return i;
        }
    }

    private bool Branch()
    {
        // Nobody needs the present value, so what is done says all that matters: the value is not part of the configuration.
        if (!_seen.Add(Configuration.Of(_first, _done, _calls.Length, _order.Count)))
            return false;
        var writes = Callable().Where(i => _calls[i].Observes == RegisterKey.Nothing).OrderByDescending(i => _neededBy[_calls[i].Writes]).ToArray();
        if (writes.Length == 0)
            return false;
        var choice = new Choice(_order.Count, new Stack<int>(writes));
        _choices.Push(choice);
        Do(choice.Untried.Pop());
        return true;
    }

    private bool BackUp()
    {
        NoteFarthest();
        while (_choices.TryPeek(out var choice))
        {
            while (_order.Count > choice.Length)
                Undo();
            if (choice.Untried.TryPop(out var next))
            {
                Do(next);
                return true;
            }

            _choices.Pop();
        }

        return false;
    }

    private void NoteFarthest()
    {
        if (_order.Count <= _farthest)
            return;
        _farthest = _order.Count;
        Farthest = (_order.Count, [.. Callable().Select(i => _calls[i])]);
    }

    private void Do(int i)
    {
        Work++;
        var call = _calls[i];
        _order.Push((i, _value));
        _done[i] = true;
        if (call.Observes != RegisterKey.Nothing)
            _observersLeft[call.Observes]--;
        if (call.Writes != RegisterKey.Nothing)
            _value = call.Writes;
    }

    private void Undo()
    {
        Work++;
        var (i, before) = _order.Pop();
        _done[i] = false;
        if (_calls[i].Observes != RegisterKey.Nothing)
            _observersLeft[_calls[i].Observes]++;
        _value = before;
        _first = Math.Min(_first, i);
    }

    private sealed record Choice(int Length, Stack<int> Untried);

    // All before First are done; of the few from First on, which are.
    private sealed class Configuration(int first, ulong[] done) : IEquatable<Configuration>
    {
        private readonly int _first = first;
        private readonly ulong[] _done = done;

        public static Configuration Of(int first, bool[] done, int count, int doneCount)
        {
            var words = new List<ulong>(1);
            var left = doneCount - first;
            for (var i = first; i < count && left > 0; i++)
            {
                var offset = i - first;
                if (offset / 64 == words.Count)
                    words.Add(0);
                if (!done[i])
                    continue;
                words[offset / 64] |= 1UL << (offset % 64);
                left--;
            }

            return new Configuration(first, [.. words]);
        }

        public bool Equals(Configuration? other) => other is not null && _first == other._first && _done.AsSpan().SequenceEqual(other._done);

        public override bool Equals(object? obj) => Equals(obj as Configuration);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            hash.Add(_first);
            foreach (var word in _done)
                hash.Add(word);
            return hash.ToHashCode();
        }
    }
}
