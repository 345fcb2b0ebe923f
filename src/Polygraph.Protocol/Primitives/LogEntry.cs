namespace Polygraph.Protocol;

/// <summary>
/// One entry of the replication log. The protocol knows its position and its size; what it says is opaque here. The record is encoded once,
/// by the leader's writer, and the same bytes go to every log and every wire.
/// </summary>
/// <param name="Position">Where the entry stands.</param>
/// <param name="Record">The encoded record: header and payload, never changed once handed over.</param>
public sealed record LogEntry(Position Position, ReadOnlyMemory<byte> Record);
