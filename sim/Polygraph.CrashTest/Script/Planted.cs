namespace Polygraph.CrashTest.Script;

/// <summary>Bugs that are put in on purpose, so that the checks prove that they can fail.</summary>
internal enum Planted : byte
{
    None,

    /// <summary>Entries are reported durable before they are written.</summary>
    AckBeforeWrite,

    /// <summary>SQLite's write-ahead log is kept at start, as if it had been synced.</summary>
    NoRecovery,

    /// <summary>SQLite checkpoints by itself, without a marker.</summary>
    CheckpointWithoutMarker,

    /// <summary>The log's syncs say that they worked and do nothing. Only a power loss shows it.</summary>
    LogSyncsLie,

    /// <summary>Names are never made durable. Only a power loss shows it.</summary>
    DirectorySyncsLie,
}
