using System.Runtime.ExceptionServices;
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
/// What the running unit has changed: the operations of its payload, and the digests. Fed by <see cref="PreupdateHook"/> and the capture triggers, on
/// the leader as on a follower; a follower keeps the digests only. Owned by the writer.
/// </summary>
internal sealed partial class CaptureLog(DigestBook book, RowWatch watch, int payloadBytesMax)
{
    private readonly LogicalPayloadWriter _payload = new();
    private readonly ImageTracker _tracker = new();
    private readonly List<int> _namedTables = [];

    /// <summary>Whether <see cref="PreupdateHook"/> sees what changes; if not, triggers see what they can.</summary>
    internal bool HasHook { get; init; }

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

    /// <summary>What went wrong in the hook, from which nothing can be thrown.</summary>
    internal Exception? Failure { get; private set; }

    /// <summary>Whether a statement runs that changes the schema.</summary>
    internal bool IsChangingSchema { get; set; }

    /// <summary>What is known of the statement that runs; null while images are applied.</summary>
    internal StatementFacts? Statement { get; set; }

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

    /// <summary>Forgets a row of which a failed statement showed only a part, and old failures. Before each statement.</summary>
    internal void BeginStatement()
    {
        ForgetPartOfRow();
        Statement = null;
        Refusal = null;
        Failure = null;
    }

    /// <summary>After each statement: throws what went wrong in the hook.</summary>
    internal void EndStatement()
    {
        if (Failure is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }

    internal void Fail(Exception failure) => Failure ??= failure;

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
        if (HasHook)
            ForgetImages();
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
            var table = change.Table;
            _payload.WriteRowOperation(change.Kind, TableNumber(table));
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
