using Polygraph.Protocol;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Execution;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Capture;

/// <summary>A point of a unit to which its captured changes can be cut back.</summary>
internal readonly record struct CaptureMark(int Payload, int Tables, int Digests, int Tracked, int Rows, SchemaCatalog Catalog);

/// <summary>What becomes of captured rows.</summary>
internal enum CaptureMode : byte
{
    /// <summary>A leader runs SQL: rows become operations and digests.</summary>
    Recording,

    /// <summary>A statement runs that is shipped as a statement, on the leader or elsewhere: rows become digests.</summary>
    Hashing,

    /// <summary>Images are applied: rows become digests, and are what SQLite shows, because the schema's triggers are off.</summary>
    Applying,
}

/// <summary>
/// What the running unit has changed: the operations of its payload, and the digests. Fed by the capture triggers, on the leader as on a
/// follower; a follower keeps the digests only. Owned by the writer.
/// </summary>
internal sealed class CaptureLog(DigestBook book, RowWatch watch, int payloadBytesMax)
{
    private readonly LogicalPayloadWriter _payload = new();
    private readonly ImageTracker _tracker = new();
    private readonly List<int> _namedTables = [];
    private int[] _ends = new int[64];

    // The row that is being shown, in one or more calls.
    private TableShape? _table;
    private LogicalOperationKind _operation;
    private int _valuesSeen;
    private int _valuesExpected;
    private int _rowStart;
    private int _imageStart;

    /// <summary>The planted mistake; none but in tests of the fuzzer.</summary>
    internal CaptureFault Fault { get; init; }

    /// <summary>The schema whose shapes the triggers refer to.</summary>
    internal SchemaCatalog Catalog { get; set; } = SchemaCatalog.Empty;

    /// <summary>What is done with the rows that are seen.</summary>
    internal CaptureMode Mode { get; set; } = CaptureMode.Recording;

    /// <summary>Whether operations are kept.</summary>
    internal bool Recording => Mode == CaptureMode.Recording;

    /// <summary>Rows seen since the unit began.</summary>
    internal int Rows { get; private set; }

    // The last captured insert of each table since the unit began, by capture id: the number of the row.
    private readonly Dictionary<int, int> _lastInsert = [];

    /// <summary>The reason for which the last capture refused, if it did.</summary>
    internal RefusedException? Refusal { get; private set; }

    internal LogicalPayloadWriter Payload => _payload;

    internal DigestBook Book => book;

    /// <summary>Begins a unit.</summary>
    internal void Begin()
    {
        _payload.Clear();
        _payload.WriteVersion();
        _tracker.Clear();
        _namedTables.Clear();
        _lastInsert.Clear();
        Rows = 0;
    }

    internal CaptureMark Mark()
        => new(_payload.Length, _namedTables.Count, book.Mark(), _tracker.Mark(), Rows, Catalog);

    /// <summary>Takes back what was captured since; the catalog becomes that of the mark again.</summary>
    internal void CutTo(CaptureMark mark)
    {
        book.UndoTo(mark.Digests);
        CutOperationsTo(mark);
    }

    /// <summary>As <see cref="CutTo"/>, without the digests.</summary>
    internal void CutOperationsTo(CaptureMark mark)
    {
        _payload.CutTo(mark.Payload);
        _namedTables.RemoveRange(mark.Tables, _namedTables.Count - mark.Tables);
        _tracker.UndoTo(mark.Tracked);
        Rows = mark.Rows;
        Catalog = mark.Catalog;
    }

    /// <summary>Forgets a row of which a failed statement showed only a part, and an old refusal. Before each statement.</summary>
    internal void BeginStatement()
    {
        if (_table is not null)
            _payload.CutTo(_rowStart);
        _table = null;
        Refusal = null;
    }

    /// <summary>
    /// Forgets the images of rows seen so far: since then rows were changed without being tracked. Before a statement that is run again; a row's
    /// image before is what SQLite shows unless that very statement changed it.
    /// </summary>
    internal void ForgetImages() => _tracker.Clear();

    /// <summary>
    /// The leader's shipped statement is over. Others are watched, if they can be, and their rows not tracked: the images of this one would be out of
    /// date for the next.
    /// </summary>
    internal void EndHashing()
    {
        Mode = CaptureMode.Recording;
        if (watch.IsAvailable)
            ForgetImages();
    }

    /// <summary>Takes the values of one call, in SQLite's memory.</summary>
    internal void Capture(long code, ReadOnlySpan<nint> values)
    {
        if (_table is null && !BeginRow(code))
            return;
        foreach (var value in values)
        {
            RowImage.Write(_payload, value, _table!.IsNumeric[_valuesSeen % _table.Values.Count]);
            _ends[_valuesSeen++] = _payload.Length - _imageStart;
        }

        if (_valuesSeen == _valuesExpected)
            EndRow();
    }

    /// <summary>Whether a row was inserted into the table after so many rows had been seen.</summary>
    internal bool InsertedIntoSince(int rows, TableShape table) => _lastInsert.GetValueOrDefault(table.CaptureId) > rows;

    /// <summary>The tables with AUTOINCREMENT into which rows were inserted since the unit began (some of them may be undone by now).</summary>
    internal IEnumerable<string> CountedTables
        => _lastInsert.Keys.Select(Catalog.Find).OfType<TableShape>().Where(table => table.IsAutoIncrement).Select(table => table.Name);

    /// <summary>Takes over what was watched while a statement ran, in the order in which it happened.</summary>
    internal void TakeWatched()
    {
        watch.Complete();
        foreach (var change in watch.Changes)
        {
            if (Fault.HidesChange(change))
                continue;
            var table = change.Table;
            var number = TableNumber(table);
            _payload.WriteRowOperation(change.Kind, number);
            _imageStart = _payload.Length;
            if (change.Before is { } before)
            {
                _payload.WriteBytes(before);
                book.RemoveRow(table.Name, RowHash.Of(before));
            }

            if (change.After is { } after)
            {
                _payload.WriteBytes(after);
                book.AddRow(table.Name, RowHash.Of(after));
            }

            if (change.Kind != LogicalOperationKind.Update)
                continue;
            if (_ends.Length < table.Values.Count * 2)
                _ends = new int[table.Values.Count * 2];
            LogicalPayloadScan.ValueEnds(_payload.From(_imageStart), _ends.AsSpan(0, table.Values.Count * 2));
            LeaveOutWhatIsSame(table.Values.Count);
        }
    }

    /// <summary>Adds a row that no trigger has seen: one that CREATE TABLE AS has filled in. The digest is set by whoever scans.</summary>
    internal int BeginScannedInsert(TableShape table)
    {
        var number = TableNumber(table);
        _payload.WriteRowOperation(LogicalOperationKind.Insert, number);
        return _payload.Length;
    }

    /// <summary>
    /// Throws <see cref="RefusedException"/> if the unit has captured too much, or would with so many bytes more. On the leader only: others take
    /// what the log has.
    /// </summary>
    internal void CheckSize(long more = 0)
    {
        if (!Recording || _payload.Length + more <= payloadBytesMax)
            return;
        Refusal = new RefusedException(
            RefusedException.TransactionTooLarge, $"The transaction changes more than {payloadBytesMax} bytes of rows. Split it.");
        throw Refusal;
    }

    /// <summary>False if the row is known already.</summary>
    private bool BeginRow(long code)
    {
        var (captureId, operation) = CaptureTriggers.FromCode(code);
        if (watch.IsOn && operation == LogicalOperationKind.Delete)
        {
            CheckSize(watch.Bytes);
            return false;
        }

        var table = Catalog.Find(captureId);
        Invariant.Holds(table is not null, "capture triggers are those of the catalog");
        var number = Recording ? TableNumber(table) : 0;
        (_table, _operation, _valuesSeen, _rowStart) = (table, operation, 0, _payload.Length);
        _valuesExpected = table.Values.Count * (operation == LogicalOperationKind.Update ? 2 : 1);
        if (_ends.Length < _valuesExpected)
            _ends = new int[_valuesExpected];
        _payload.WriteRowOperation(operation, number);
        _imageStart = _payload.Length;
        return true;
    }

    private void EndRow()
    {
        var table = _table!;
        _table = null;
        Rows++;
        if (_operation == LogicalOperationKind.Insert)
            _lastInsert[table.CaptureId] = Rows;
        if (table.NeedsTracking && (Mode == CaptureMode.Hashing || (Recording && !watch.IsAvailable)))
            CorrectByTracker(table);
        if (Fault != CaptureFault.None && _operation == LogicalOperationKind.Insert && Recording)
            Fault.SpoilInsert(table, _payload, _imageStart);
        var images = _payload.From(_imageStart);
        var beforeLength = _operation == LogicalOperationKind.Insert ? 0 : _ends[table.Values.Count - 1];
        if (watch.IsOn)
        {
            watch.Show(table, _operation, images[..beforeLength], images[beforeLength..]);
            _payload.CutTo(_rowStart);
            CheckSize(watch.Bytes);
            return;
        }

        if (_operation != LogicalOperationKind.Insert)
            book.RemoveRow(table.Name, RowHash.Of(images[..beforeLength]));
        if (_operation != LogicalOperationKind.Delete)
            book.AddRow(table.Name, RowHash.Of(images[beforeLength..]));
        if (!Recording)
            _payload.CutTo(_rowStart);
        else if (_operation == LogicalOperationKind.Update)
            LeaveOutWhatIsSame(table.Values.Count);
        CheckSize();
    }

    /// <summary>Replaces the image before by what this unit is known to have left there, and notes the image after.</summary>
    private void CorrectByTracker(TableShape table)
    {
        var count = table.Values.Count;
        var images = _payload.From(_imageStart).ToArray();
        var beforeLength = _operation == LogicalOperationKind.Insert ? 0 : _ends[count - 1];
        string? oldKey = null;
        if (_operation != LogicalOperationKind.Insert)
        {
            oldKey = ImageTracker.KeyOf(table, images.AsSpan(0, beforeLength), _ends.AsSpan(0, count));
            if (_tracker.Find(oldKey) is { } known)
                ReplaceBefore(table, known, images.AsSpan(beforeLength));
            _tracker.Set(oldKey, null);
        }

        if (_operation == LogicalOperationKind.Delete)
            return;
        var after = images.AsSpan(beforeLength).ToArray();
        var newKey = ImageTracker.KeyOf(table, after, EndsOfAfter(table, beforeLength, images.Length));
        if (_tracker.Find(newKey) is not null)
        {
            Refusal = RefusedSql.MovingRow.Exception(table.Name);
            throw Refusal;
        }

        _tracker.Set(newKey, after);
    }

    private void ReplaceBefore(TableShape table, byte[] known, ReadOnlySpan<byte> after)
    {
        _payload.CutTo(_imageStart);
        _payload.WriteBytes(known);
        _payload.WriteBytes(after);
        LogicalPayloadScan.ValueEnds(_payload.From(_imageStart), _ends.AsSpan(0, _valuesExpected));
        Invariant.Holds(_ends[table.Values.Count - 1] == known.Length, "a tracked image has as many values as its table");
    }

    private int[] EndsOfAfter(TableShape table, int beforeLength, int length)
    {
        var ends = new int[table.Values.Count];
        var image = _payload.From(_imageStart);
        LogicalPayloadScan.ValueEnds(image[(image.Length - (length - beforeLength))..], ends);
        return ends;
    }

    /// <summary>
    /// Writes a mark for each value of the image after that is as before. In place: what is written never passes what is still to be read.
    /// </summary>
    private void LeaveOutWhatIsSame(int count)
    {
        var images = _payload.From(_imageStart);
        var before = images[.._ends[count - 1]];
        _payload.CutTo(_imageStart + before.Length);
        for (var i = 0; i < count; i++)
        {
            var old = images[(i == 0 ? 0 : _ends[i - 1]).._ends[i]];
            var now = images[_ends[count + i - 1].._ends[count + i]];
            if (now.Length > 1 && now.SequenceEqual(old))
                _payload.WriteSame();
            else
                _payload.WriteBytes(now);
        }
    }

    private int TableNumber(TableShape table)
    {
        var number = _namedTables.IndexOf(table.CaptureId);
        if (number >= 0)
            return number;
        _payload.WriteTable(table.Name, table.Values.Count);
        _namedTables.Add(table.CaptureId);
        return _namedTables.Count - 1;
    }
}
