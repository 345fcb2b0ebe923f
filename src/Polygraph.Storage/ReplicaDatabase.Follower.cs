using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Wire.Log;

namespace Polygraph.Storage;

/// <content>The follower's side, and replay after a restart or a rewind.</content>
public sealed partial class ReplicaDatabase
{
    /// <summary>
    /// Follower and replay: applies whole entries, in order, in one SQLite transaction. Entries without rows (no-op, verify mark) advance the
    /// position. Throws <see cref="DivergenceException"/> when a row is not as the leader's, <see cref="EntryFormatException"/> or
    /// <see cref="LogicalPayloadException"/> for a damaged record; then nothing of the list has happened.
    /// </summary>
    public void Apply(IReadOnlyList<LogEntry> entries)
    {
        Invariant.Holds(!_inBatch, "entries are not applied while a batch is open");
        if (entries.Count == 0)
            return;
        _writer.EnterApplying();
        _capture.Mode = CaptureMode.Applying;
        _capture.Begin();
        var catalog = _capture.Catalog;
        _writer.Run("BEGIN IMMEDIATE");
        try
        {
            foreach (var entry in entries)
                ApplyOne(entry);
            _applier.Settle();
            Commit();
            _sequences.Known = null;
        }
        catch
        {
            RollBack(catalog);
            throw;
        }

        // What clients' statements were compiled for may be gone.
        if (!ReferenceEquals(catalog, _capture.Catalog))
            _compiler.Clear();
    }

    private void ApplyOne(LogEntry entry)
    {
        Invariant.Holds(entry.Position.Index == _last.Index.Next && entry.Position.Term >= _last.Term, "entries follow one another");
        var (header, payload) = EntryCodec.Decode(entry.Record);
        Invariant.Holds(header.Position == entry.Position, "an entry's record has the entry's position");
        switch (header.Payload)
        {
            case PayloadFormat.Logical:
                _applier.Apply(header, payload);
                break;
            case PayloadFormat.NoOp or PayloadFormat.VerifyMark:
                _tables.Keys.Finish(header, default);
                break;
            default:
                throw new EntryFormatException(
                    $"The entry at {entry.Position} has payload format {header.Payload}, which this version cannot apply.");
        }

        _last = entry.Position;
    }
}
