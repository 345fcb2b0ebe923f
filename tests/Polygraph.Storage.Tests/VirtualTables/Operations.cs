using Polygraph.Protocol;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Tests.VirtualTables;

/// <summary>What an entry's payload holds.</summary>
internal static class Operations
{
    internal static List<LogicalOperation> Of(LogEntry entry)
    {
        var operations = new List<LogicalOperation>();
        var reader = new LogicalPayloadReader(EntryCodec.Decode(entry.Record).Payload);
        while (reader.Read(out var operation))
            operations.Add(operation);
        return operations;
    }
}
