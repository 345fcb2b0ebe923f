using Polygraph.Protocol;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Execution;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Capture;

/// <content>One row after another: its values are written into the payload as SQLite shows them, and stay there if it is kept.</content>
internal sealed partial class CaptureLog
{
    /// <summary>SQLite's own words, which name no limit.</summary>
    internal const string ValueTooBig = "string or blob too big";

    /// <summary>What a client is told instead.</summary>
    internal static readonly string ValueTooBigHere
        = $"{ValueTooBig}: a value may have {WireLimits.ValueBytesMax >> 20} MiB, a row {(SqliteConnection.RowBytesMax - WireLimits.ValueBytesMax) >> 10} KiB more";

    private int[] _ends = new int[64];

    // The row that is being shown, by the hook at once or by a trigger in one or more calls.
    private TableShape? _table;
    private LogicalOperationKind _operation;
    private int _valuesSeen;
    private int _valuesBefore;
    private int _valuesExpected;
    private bool _isInDoubt;
    private int _rowStart;
    private int _imageStart;

    /// <summary>Takes the values of one call of a capture trigger, in SQLite's memory.</summary>
    internal void Capture(long code, ReadOnlySpan<nint> values)
    {
        if (_table is null && !BeginShownRow(code))
            return;
        foreach (var value in values)
        {
            var affinity = _table!.Affinities[_valuesSeen % _table.Values.Count];
            if (_valuesSeen >= _valuesBefore)
                AddNewValue(value, affinity);
            else
                AddValue(value, affinity);
        }

        if (_valuesSeen == _valuesExpected)
            EndRow();
    }

    /// <summary>Begins a row. Its values follow: all of the image before, if there is one, and all of the image after.</summary>
    internal void BeginRow(TableShape table, LogicalOperationKind operation)
    {
        var number = Recording ? TableNumber(table) : 0;
        (_table, _operation, _valuesSeen, _isInDoubt, _rowStart) = (table, operation, 0, false, _payload.Length);
        _valuesBefore = operation == LogicalOperationKind.Insert ? 0 : table.Values.Count;
        _valuesExpected = _valuesBefore + (operation == LogicalOperationKind.Delete ? 0 : table.Values.Count);
        if (_ends.Length < _valuesExpected)
            _ends = new int[_valuesExpected];
        _payload.WriteRowOperation(operation, number);
        _imageStart = _payload.Length;
    }

    internal void AddValue(nint value, ValueAffinity affinity)
    {
        RowImage.Write(_payload, value, affinity);
        _ends[_valuesSeen++] = _payload.Length - _imageStart;
    }

    /// <summary>
    /// As <see cref="AddValue"/>, of the image after. What an UPDATE puts into a column, and what a trigger is shown, is not always what SQLite keeps: see
    /// <see cref="StatementFacts.ReadsVirtualReals"/>. The row is looked at afterwards, if it can be; if not, the statement is refused.
    /// </summary>
    internal void AddNewValue(nint value, ValueAffinity affinity)
    {
        if (Statement is { ReadsVirtualReals: true } && affinity == ValueAffinity.Other && RowImage.MayBeKeptAsInteger(value)
            && (_operation == LogicalOperationKind.Update || _table!.HookColumns is null))
        {
            if (!watch.IsOn)
            {
                Refusal = RefusedSql.VirtualReal.Exception(_table!.Name);
                ForgetPartOfRow();
                throw Refusal;
            }

            _isInDoubt = true;
        }

        AddValue(value, affinity);
    }

    internal void AddInteger(long value)
    {
        _payload.WriteInteger(value);
        _ends[_valuesSeen++] = _payload.Length - _imageStart;
    }

    /// <summary>Takes this as the image before, instead of the values of it that were added.</summary>
    internal void ReplaceBefore(byte[] image)
    {
        _valuesSeen = _table!.Values.Count;
        _payload.CutTo(_imageStart);
        _payload.WriteBytes(image);
        LogicalPayloadScan.ValueEnds(image, _ends.AsSpan(0, _valuesSeen));
    }

    internal void EndRow()
    {
        var table = _table!;
        _table = null;
        Rows++;
        if (_operation == LogicalOperationKind.Insert)
            _lastInsert[table.CaptureId] = Rows;
        if (table is { NeedsTracking: true, HookColumns: null } && (Mode == CaptureMode.Hashing || (Recording && !HasHook)) && Fault != CaptureFault.TrustsOld)
            CorrectByTracker(table);
        if (Fault != CaptureFault.None && _operation == LogicalOperationKind.Insert && Recording)
            Fault.SpoilInsert(table, _payload, _imageStart);
        var images = _payload.From(_imageStart);
        var beforeLength = _operation == LogicalOperationKind.Insert ? 0 : _ends[table.Values.Count - 1];
        if (Recording && images.Length - beforeLength > WireLimits.ValueBytesMax)
            CheckValues(table.Values.Count);
        if (watch.IsOn)
        {
            Watch(table, images[..beforeLength], images[beforeLength..]);
            return;
        }

        switch (_operation)
        {
            case LogicalOperationKind.Insert:
                book.AddRow(table.Name, RowHash.Of(images));
                break;
            case LogicalOperationKind.Delete:
                book.RemoveRow(table.Name, RowHash.Of(images));
                break;
            default:
                book.ChangeRow(table.Name, RowHash.Of(images[..beforeLength]), RowHash.Of(images[beforeLength..]));
                break;
        }

        if (!Recording)
            _payload.CutTo(_rowStart);
        else if (_operation == LogicalOperationKind.Update)
            LeaveOutWhatIsSame(table.Values.Count);
        CheckSize();
    }

    /// <summary>Of a row after the change that is larger than a value may be.</summary>
    private void CheckValues(int count)
    {
        for (var i = _valuesBefore; i < _valuesBefore + count; i++)
        {
            if (_ends[i] - (i == 0 ? 0 : _ends[i - 1]) <= LogicalPayloadWriter.LargestValueBytes)
                continue;
            Refusal = new RefusedException(SqliteCode.NameOf(SqliteCode.TooBig), ValueTooBigHere);
            throw Refusal;
        }
    }

    private void ForgetPartOfRow()
    {
        if (_table is not null)
            _payload.CutTo(_rowStart);
        _table = null;
    }

    /// <summary>A trigger's row. False if it is known already.</summary>
    private bool BeginShownRow(long code)
    {
        var (captureId, operation) = CaptureTriggers.FromCode(code);
        if (watch.IsOn && operation == LogicalOperationKind.Delete)
        {
            CheckSize(watch.Bytes);
            return false;
        }

        var table = Catalog.Find(captureId);
        Invariant.Holds(table is not null, "capture triggers are those of the catalog");
        BeginRow(table, operation);
        return true;
    }

    private void Watch(TableShape table, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        if (table.HookColumns is null)
            watch.Show(table, _operation, before, after, _isInDoubt);
        else
            watch.Add(
                table,
                _operation,
                _operation == LogicalOperationKind.Insert ? null : before.ToArray(),
                _operation == LogicalOperationKind.Delete ? null : after.ToArray(),
                _isInDoubt);
        _payload.CutTo(_rowStart);
        CheckSize(watch.Bytes);
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
}
