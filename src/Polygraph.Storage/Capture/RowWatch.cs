using Polygraph.Protocol;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Capture;

/// <summary>
/// Collects what one statement changes, in SQLite's own order, where the rows cannot go into the payload as they come: the statement may keep a part of
/// itself when it fails (OR FAIL, RAISE(FAIL)), SQLite may keep other values than it shows, or it changes a table whose image after only a trigger shows, later than <see cref="PreupdateHook"/>
/// shows the one before: foreign-key actions run in between, and may come back to the very row. Needs the hook. Owned by the writer.
/// </summary>
internal sealed class RowWatch(StandingRows rows)
{
    private readonly List<WatchedChange> _changes = [];

    internal bool IsOn { get; private set; }

    /// <summary>Bytes of the images seen since <see cref="Begin"/>.</summary>
    internal long Bytes { get; private set; }

    /// <summary>The changes of the statement that ran last, in the order in which they happened.</summary>
    internal IReadOnlyList<WatchedChange> Changes => _changes;

    internal void Begin()
    {
        _changes.Clear();
        (Bytes, IsOn) = (0, true);
    }

    /// <summary>Stops watching. What was seen stays until the next <see cref="Begin"/>.</summary>
    internal void End() => IsOn = false;

    /// <summary>Takes a change of which both images are known; the one after perhaps not exactly.</summary>
    internal void Add(TableShape table, LogicalOperationKind kind, byte[]? before, byte[]? after, bool isInDoubt)
    {
        Bytes += (before?.Length ?? 0) + (after?.Length ?? 0);
        _changes.Add(new WatchedChange(table, kind, before, after, before is null ? null : ImageTracker.KeyOf(table, before), 0) { IsInDoubt = isInDoubt });
    }

    /// <summary>Takes a row that is about to change, and whose image after a trigger will show.</summary>
    internal void Note(TableShape table, LogicalOperationKind kind, IReadOnlyList<SqlValue> key, long newRowid)
    {
        var before = rows.Read(table, key)
            ?? throw new InvariantViolationException($"A row of \"{table.Name}\" that is about to change is not there.");
        Bytes += before.Length;
        _changes.Add(new WatchedChange(table, kind, before, null, ImageTracker.KeyOf(table, before), newRowid));
    }

    /// <summary>Takes what a capture trigger shows: an inserted row, or the image after of an update that began before. Deletes are known by then.</summary>
    internal void Show(TableShape table, LogicalOperationKind operation, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, bool isInDoubt)
    {
        Bytes += after.Length;
        if (operation == LogicalOperationKind.Insert)
        {
            _changes.Add(new WatchedChange(table, operation, null, after.ToArray(), null, 0) { IsInDoubt = isInDoubt });
            return;
        }

        var key = ImageTracker.KeyOf(table, before);
        // The last one that still waits: what its own foreign-key actions and triggers do is over by now. The trigger may lie about its key, too.
        var change = _changes.FindLast(each => Waits(each) && each.OldKey == key) ?? _changes.FindLast(Waits);
        Invariant.Holds(change is not null, "an updated row was seen before it changed");
        (change.After, change.IsInDoubt) = (after.ToArray(), isInDoubt);

        bool Waits(WatchedChange each) => each.After is null && each.Kind == LogicalOperationKind.Update && each.Table == table;
    }

    /// <summary>
    /// Gives every update its image after, and every image that is in doubt what SQLite has made of it: what the row's next change found there, or what is there now.
    /// An update that failed in its own foreign-key actions (RAISE(FAIL) in a trigger of theirs) was shown to no
    /// trigger: it left what its next change found there, or what is there now.
    /// </summary>
    internal void Complete()
    {
        // From the last to the first: by the key that a change found its row under, the next one after the change that is looked at.
        var later = new Dictionary<string, WatchedChange>(StringComparer.Ordinal);
        for (var i = _changes.Count - 1; i >= 0; i--)
        {
            var change = _changes[i];
            if (change is { IsInDoubt: true, After: { } shown })
            {
                change.After = later.GetValueOrDefault(ImageTracker.KeyOf(change.Table, shown))?.Before
                    ?? rows.Read(change.Table, RowImage.KeyValues(change.Table, shown)) ?? shown;
                change.IsInDoubt = false;
            }

            if (change is { Kind: LogicalOperationKind.Update, After: null })
            {
                Invariant.Holds(!change.Table.IsWithoutRowid, "only the row before is known of a row without rowid");
                change.After = later.GetValueOrDefault(ImageTracker.KeyOf(change.Table, change.NewRowid))?.Before
                    ?? rows.Read(change.Table, [SqlValue.FromInteger(change.NewRowid)])
                    ?? throw new InvariantViolationException("A row that was just updated is not there.");
            }

            if (change.OldKey is { } key)
                later[key] = change;
        }
    }

    /// <summary>
    /// Whether the changes stand, after their statement has failed: OR FAIL and RAISE(FAIL) keep them, everything else takes them back, and SQLite
    /// does not say which it was. True also if they cancel one another out.
    /// </summary>
    /// <param name="unseen">
    /// A table without rowid of which a row seems to have another key that nobody was shown, because its update failed in its own foreign-key actions:
    /// then it is not known where the row is, and the statement cannot be kept.
    /// </param>
    internal bool Stand(out TableShape? unseen)
    {
        unseen = null;
        if (_changes.Find(change => change is { Kind: LogicalOperationKind.Update, After: null, Table.IsWithoutRowid: true }) is { Before: { } before } lost)
        {
            if (!Same(rows.Read(lost.Table, RowImage.KeyValues(lost.Table, before)), before))
                unseen = lost.Table;
            return false;
        }

        Complete();
        var net = new Dictionary<string, (TableShape Table, byte[]? First, byte[]? Last)>(StringComparer.Ordinal);
        foreach (var change in _changes)
        {
            if (change.OldKey is { } oldKey)
                net[oldKey] = (change.Table, net.TryGetValue(oldKey, out var known) ? known.First : change.Before, null);
            if (change.After is { } after && ImageTracker.KeyOf(change.Table, after) is var newKey)
                net[newKey] = (change.Table, net.TryGetValue(newKey, out var known) ? known.First : null, after);
        }

        foreach (var (table, first, last) in net.Values)
            if (!Same(first, last))
                return Same(rows.Read(table, RowImage.KeyValues(table, (last ?? first)!)), last);
        return true;
    }

    private static bool Same(byte[]? one, byte[]? other) => one is null ? other is null : other is not null && one.AsSpan().SequenceEqual(other);
}

/// <summary>One row's change.</summary>
internal sealed class WatchedChange(TableShape table, LogicalOperationKind kind, byte[]? before, byte[]? after, string? oldKey, long newRowid)
{
    internal TableShape Table => table;

    internal LogicalOperationKind Kind => kind;

    internal byte[]? Before => before;

    /// <summary>Null for a delete, and for an update until a trigger shows it.</summary>
    internal byte[]? After { get; set; } = after;

    /// <summary>Whether SQLite may have kept other values than it showed.</summary>
    internal bool IsInDoubt { get; set; }

    /// <summary>The key before, as <see cref="ImageTracker.KeyOf(TableShape, ReadOnlySpan{byte})"/> writes it; null for an insert.</summary>
    internal string? OldKey => oldKey;

    internal long NewRowid => newRowid;
}
