using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Transactions;

/// <summary>Lists and their elements by number, and which transaction appended each element.</summary>
internal sealed class ListIndex
{
    public const int Nobody = -1;

    private readonly Dictionary<string, int> _lists = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];
    private readonly Dictionary<(int List, Value Value), int> _elements = [];
    private readonly List<(int List, Value Value)> _values = [];
    private readonly List<int> _writers = [];

    public int ListCount => _names.Count;

    public int ElementCount => _values.Count;

    public int ListOf(string name)
    {
        if (_lists.TryGetValue(name, out var list))
            return list;
        list = _names.Count;
        _lists.Add(name, list);
        _names.Add(name);
        return list;
    }

    public int ElementOf(int list, Value value)
    {
        if (_elements.TryGetValue((list, value), out var element))
            return element;
        element = _values.Count;
        _elements.Add((list, value), element);
        _values.Add((list, value));
        _writers.Add(Nobody);
        return element;
    }

    public string NameOf(int list) => _names[list];

    public int ListOfElement(int element) => _values[element].List;

    public Value ValueOf(int element) => _values[element].Value;

    /// <summary>The number of the transaction that appended it, or <see cref="Nobody"/>.</summary>
    public int WriterOf(int element) => _writers[element];

    public void SetWriter(int element, int transaction) => _writers[element] = transaction;
}
