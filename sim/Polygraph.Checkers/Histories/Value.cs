using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Polygraph.Checkers.Histories;

/// <summary>What a value of a history is.</summary>
public enum ValueKind
{
    Null,
    Number,
    Text,
    List,
    Map,
}

/// <summary>
/// A value that an operation was given or gave: null, a whole number, a text, a list, or a map from texts. Two values are equal if their JSON says the
/// same. Sixteen bytes, and no allocation for numbers: a history holds hundreds of thousands of them.
/// </summary>
public readonly struct Value : IEquatable<Value>
{
    private static readonly object NumberMark = new();

    private readonly object? _content;
    private readonly long _number;

    private Value(object? content, long number) => (_content, _number) = (content, number);

    public static Value Null => default;

    public ValueKind Kind => _content switch
    {
        null => ValueKind.Null,
        string => ValueKind.Text,
        Value[] => ValueKind.List,
        SortedDictionary<string, Value> => ValueKind.Map,
        _ => ValueKind.Number,
    };

    public bool IsNull => _content is null;

    /// <exception cref="InvalidOperationException">It is no number.</exception>
    public long Number => ReferenceEquals(_content, NumberMark) ? _number : throw Not("a number");

    /// <exception cref="InvalidOperationException">It is no text.</exception>
    public string Text => _content as string ?? throw Not("a text");

    /// <summary>The items of a list; nobody may change them.</summary>
    /// <exception cref="InvalidOperationException">It is no list.</exception>
    public Value[] Items => _content as Value[] ?? throw Not("a list");

    /// <summary>The entries of a map, by name; nobody may change them.</summary>
    /// <exception cref="InvalidOperationException">It is no map.</exception>
    public SortedDictionary<string, Value> Entries => _content as SortedDictionary<string, Value> ?? throw Not("a map");

    public static implicit operator Value(long number) => new(NumberMark, number);

    public static implicit operator Value(string? text) => new(text, 0);

    public static implicit operator Value(Value[] items) => new(items, 0);

    public static Value ListOf(params Value[] items) => items;

    public static Value ListOf(IEnumerable<long> numbers) => numbers.Select(number => (Value)number).ToArray();

    public static Value MapOf(IEnumerable<KeyValuePair<string, Value>> entries)
    {
        var map = new SortedDictionary<string, Value>(StringComparer.Ordinal);
        foreach (var (name, value) in entries)
            map[name] = value;
        return new Value(map, 0);
    }

    public static Value MapOf(params (string Name, Value Value)[] entries)
        => MapOf(entries.Select(entry => KeyValuePair.Create(entry.Name, entry.Value)));

    public static bool operator ==(Value left, Value right) => left.Equals(right);

    public static bool operator !=(Value left, Value right) => !left.Equals(right);

    public bool Equals(Value other) => (_content, other._content) switch
    {
        (string mine, string theirs) => string.Equals(mine, theirs, StringComparison.Ordinal),
        (Value[] mine, Value[] theirs) => mine.AsSpan().SequenceEqual(theirs),
        (SortedDictionary<string, Value> mine, SortedDictionary<string, Value> theirs) => mine.SequenceEqual(theirs),
        _ => ReferenceEquals(_content, other._content) && _number == other._number,
    };

    public override bool Equals(object? obj) => obj is Value other && Equals(other);

    public override int GetHashCode()
    {
        switch (_content)
        {
            case null:
                return 0;
            case string text:
                return string.GetHashCode(text, StringComparison.Ordinal);
            case Value[] items:
                var hash = new HashCode();
                foreach (var item in items)
                    hash.Add(item);
                return hash.ToHashCode();
            case SortedDictionary<string, Value> map:
                return map.Count;
            default:
                return _number.GetHashCode();
        }
    }

    /// <summary>As JSON, except that a text is quoted and not escaped: for people.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        AppendTo(text);
        return text.ToString();
    }

    private void AppendTo(StringBuilder text)
    {
        switch (_content)
        {
            case null:
                text.Append("null");
                break;
            case string own:
                text.Append('"').Append(own).Append('"');
                break;
            case Value[] items:
                text.Append('[');
                for (var i = 0; i < items.Length; i++)
                {
                    text.Append(i == 0 ? "" : ", ");
                    items[i].AppendTo(text);
                }

                text.Append(']');
                break;
            case SortedDictionary<string, Value> map:
                text.Append('{');
                foreach (var (name, value) in map)
                {
                    text.Append(text[^1] == '{' ? "" : ", ").Append(name).Append(": ");
                    value.AppendTo(text);
                }

                text.Append('}');
                break;
            default:
                text.Append(_number.ToString(CultureInfo.InvariantCulture));
                break;
        }
    }

    private InvalidOperationException Not(string wanted, [CallerMemberName] string member = "")
        => new($"{member} of {this}, which is not {wanted}");
}
