using System.Runtime.InteropServices;
using Polygraph.Protocol;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Digests;

/// <summary>
/// The digest of every replicated table as the writer's open transaction sees it, with an undo list, because units and parts of units can
/// be undone. Owned by the writer.
/// </summary>
internal sealed class DigestBook
{
    private readonly Dictionary<string, Digest128> _digests = new(StringComparer.Ordinal);
    private readonly List<Before> _undo = [];
    private int _lastMark;

    private readonly record struct Before(string Table, Digest128? Digest);

    internal IReadOnlyDictionary<string, Digest128> Digests => _digests;

    internal Digest128? Find(string table) => _digests.TryGetValue(table, out var digest) ? digest : null;

    /// <summary>A point that <see cref="UndoTo"/> can return to.</summary>
    internal int Mark() => _lastMark = _undo.Count;

    internal void AddRow(string table, UInt128 hash)
    {
        ref var digest = ref Change(table);
        digest += hash;
    }

    internal void RemoveRow(string table, UInt128 hash)
    {
        ref var digest = ref Change(table);
        digest -= hash;
    }

    /// <summary>As <see cref="RemoveRow"/> and <see cref="AddRow"/>.</summary>
    internal void ChangeRow(string table, UInt128 before, UInt128 after)
    {
        ref var digest = ref Change(table);
        digest -= before;
        digest += after;
    }

    internal void Set(string table, Digest128 value) => Change(table) = value;

    internal void Remove(string table)
    {
        _undo.Add(new Before(table, Find(table)));
        _digests.Remove(table);
    }

    internal void UndoTo(int mark)
    {
        for (var i = _undo.Count - 1; i >= mark; i--)
        {
            if (_undo[i].Digest is { } digest)
                _digests[_undo[i].Table] = digest;
            else
                _digests.Remove(_undo[i].Table);
        }

        _undo.RemoveRange(mark, _undo.Count - mark);
        _lastMark = mark;
    }

    /// <summary>The tables touched since a mark, in ordinal order, dropped ones included.</summary>
    internal IReadOnlyCollection<string> TouchedSince(int mark)
    {
        if (_undo.Count == mark)
            return [];
        if (OnlyTouchedSince(mark) is { } only)
            return [only];
        var touched = new SortedSet<string>(StringComparer.Ordinal);
        for (var i = mark; i < _undo.Count; i++)
            touched.Add(_undo[i].Table);
        return touched;
    }

    /// <summary>The digests of the tables touched since a mark, of those that are still there, in ordinal order.</summary>
    internal TableDigest[] DigestsSince(int mark)
    {
        if (OnlyTouchedSince(mark) is { } only)
            return Find(only) is { } one ? [new TableDigest(only, one)] : [];
        var digests = new List<TableDigest>();
        foreach (var table in TouchedSince(mark))
            if (Find(table) is { } digest)
                digests.Add(new TableDigest(table, digest));
        return [.. digests];
    }

    /// <summary>Most transactions change one table, in many statements: that one, null if it was none or several.</summary>
    private string? OnlyTouchedSince(int mark)
    {
        if (_undo.Count == mark)
            return null;
        var first = _undo[mark].Table;
        for (var i = mark + 1; i < _undo.Count; i++)
            if (_undo[i].Table != first)
                return null;
        return first;
    }

    /// <summary>Makes everything so far final.</summary>
    internal void ForgetUndo()
    {
        _undo.Clear();
        _lastMark = 0;
    }

    internal void Clear()
    {
        _digests.Clear();
        ForgetUndo();
    }

    private ref Digest128 Change(string table)
    {
        ref var digest = ref CollectionsMarshal.GetValueRefOrAddDefault(_digests, table, out var existed);
        // One note per run of changes to a table is enough: nothing returns to a point between two marks.
        if (_undo.Count == _lastMark || _undo[^1].Table != table)
            _undo.Add(new Before(table, existed ? digest : null));
        return ref digest;
    }
}
