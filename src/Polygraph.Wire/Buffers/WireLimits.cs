namespace Polygraph.Wire.Buffers;

/// <summary>
/// The limits of everything that travels between nodes, with their arithmetic. A reader checks each length against one of these before it
/// uses it; a writer refuses to exceed them, so that no node can send what another must refuse.
/// </summary>
public static class WireLimits
{
    private const int Kibibyte = 1024;
    private const int Mebibyte = 1024 * Kibibyte;

    /// <summary>The largest SQL value, text or blob, in bytes.</summary>
    public const int ValueBytesMax = 16 * Mebibyte;

    /// <summary>
    /// The largest frame after its prefix, in bytes: an entry with the largest value before and after (2 × 16 MiB), the same again for a
    /// second column or the statement's own text. A connection receives one frame at a time, so this is also its memory in the worst case.
    /// </summary>
    public const int FrameBytesMax = 64 * Mebibyte;

    /// <summary>What a frame may hold beside one entry or one payload: kind, group, positions, and lengths need under 128 bytes.</summary>
    public const int FrameOverheadBytesMax = Kibibyte;

    /// <summary>The largest log entry that can be shipped; a transaction that makes a larger one must be refused.</summary>
    public const int EntryBytesMax = FrameBytesMax - FrameOverheadBytesMax;

    /// <summary>The largest encoded request or response that one node forwards to another.</summary>
    public const int ForwardBytesMax = FrameBytesMax - FrameOverheadBytesMax;

    /// <summary>The largest handshake message: 128 peers × (255 + 2) bytes of names, and the short texts, are under half of it.</summary>
    public const int HandshakeBytesMax = 64 * Kibibyte;

    /// <summary>The most nodes a cluster has.</summary>
    public const int NodesMax = 128;

    /// <summary>The longest name of a node, zone or version, in bytes of UTF-8.</summary>
    public const int NameBytesMax = 255;

    /// <summary>The longest address, code, session token, idempotency key or principal, in bytes of UTF-8.</summary>
    public const int ShortTextBytesMax = 4 * Kibibyte;

    /// <summary>The longest text for people, or name of a column, parameter or type, in bytes of UTF-8.</summary>
    public const int MessageBytesMax = 64 * Kibibyte;

    /// <summary>The longest SQL text, in bytes of UTF-8: as long as the largest value, which it may hold as a literal.</summary>
    public const int SqlTextBytesMax = ValueBytesMax;

    /// <summary>The most steps of a unit, and items of a batch.</summary>
    public const int StepsMax = 64 * Kibibyte;

    /// <summary>The most arguments of a statement and columns of a result: SQLite's own upper bound for both is 32,767.</summary>
    public const int ColumnsMax = 32_767;

    /// <summary>The deepest nesting of conditions in a batch: bounds the stack that a reader uses.</summary>
    public const int ConditionDepthMax = 32;

    /// <summary>
    /// The largest term or index. Below 2^63 with room for the arithmetic on them; at a million entries a second it lasts 146,000 years.
    /// </summary>
    public const ulong PositionMax = 1UL << 62;

    /// <summary>The longest duration: no sum of it and a clock overflows.</summary>
    public static readonly TimeSpan DurationMax = TimeSpan.FromDays(36_525);
}
