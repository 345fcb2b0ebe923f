using System.Globalization;
using Polygraph.Protocol;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Nodes;
using Polygraph.Wire.Log;

namespace Polygraph.RealEngine;

/// <summary>
/// Entries between two worlds. In the simulated one a record says which row becomes what, under which key; here that is followed by the record
/// that the storage engine made. The engine's files hold only the latter, from which the former is told again: the entry's header names key and request.
/// </summary>
internal static class EngineRecords
{
    private const int ModelBytes = 20;

    // Every entry gets a time of its own, later than the one before it, whoever leads.
    private const ulong FirstMillisecond = 1_700_000_000_000;

    /// <summary>What a leader knows of a write.</summary>
    public static Storage.EntryContext ContextOf(WriteRequest request, Position position)
        => new(
            position,
            WallTimeOf(position),
            HybridTimeOf(position),
            null,
            request.IdempotencyKey.ToString(CultureInfo.InvariantCulture),
            new UInt128((ulong)request.Key, request.Value),
            request.Policy.Level,
            "simulation");

    /// <summary>The simulated world's form of an entry of the engine.</summary>
    public static LogEntry ToModel(LogEntry engine)
    {
        var (header, _) = EntryCodec.Decode(engine.Record);
        if (header.Payload == PayloadFormat.NoOp)
            return engine with { Record = ModelRecord.NoOp.Encode(0) };
        var model = new ModelRecord(
            (int)(ulong)(header.RequestHash >> 64), (ulong)header.RequestHash, ulong.Parse(header.IdempotencyKey!, CultureInfo.InvariantCulture));
        var record = new byte[ModelBytes + engine.Record.Length];
        model.Encode(0).CopyTo(record);
        engine.Record.CopyTo(record.AsMemory(ModelBytes));
        return engine with { Record = record };
    }

    /// <summary>The engine's form of an entry of the simulated world.</summary>
    public static LogEntry ToEngine(LogEntry model)
        => model with { Record = model.Record.Length == ModelBytes ? NoOp(model.Position) : model.Record[ModelBytes..] };

    private static byte[] NoOp(Position position)
        => EntryCodec.Encode(
            new EntryHeader
            {
                Position = position,
                Payload = PayloadFormat.NoOp,
                WallTimeMicroseconds = WallTimeOf(position),
                HybridTime = HybridTimeOf(position),
            },
            []);

    private static long WallTimeOf(Position position) => (long)(FirstMillisecond + position.Index.Value) * 1000;

    private static ulong HybridTimeOf(Position position) => (FirstMillisecond + position.Index.Value) << EntryHeader.HybridCounterBits;
}
