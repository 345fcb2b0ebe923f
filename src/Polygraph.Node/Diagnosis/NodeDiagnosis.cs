using System.Text.Json.Serialization;

namespace Polygraph.Node.Diagnosis;

/// <summary>
/// The answer to <c>GET /v1/doctor</c>: what one node runs on, measured when it was asked. The property names, in camel case, are the JSON contract;
/// more may be added. A null is something that could not be found out on this system.
/// </summary>
/// <param name="Node">Which node; null for a process that is none.</param>
/// <param name="Version">The version of Polygraph.</param>
/// <param name="WallMicroseconds">Its clock when it began to answer, since 1970 UTC.</param>
/// <param name="System">The program's surroundings.</param>
/// <param name="Sqlite">The SQLite library that it uses.</param>
/// <param name="Directory">Its data directory.</param>
/// <param name="Databases">What each database takes of the disk.</param>
public sealed record NodeDiagnosis(
    string? Node, string Version, long WallMicroseconds, SystemFacts System, SqliteFacts Sqlite, DirectoryFacts Directory, IReadOnlyList<DatabaseSizes> Databases);

/// <summary>What a program runs on.</summary>
/// <param name="Host">The machine's name.</param>
/// <param name="OperatingSystem">The operating system.</param>
/// <param name="Architecture">The processor's.</param>
/// <param name="DotNet">The version of the runtime.</param>
/// <param name="Processors">Processors that the process may use.</param>
/// <param name="MemoryBytes">Memory that the process may use.</param>
/// <param name="OpenFilesMax">How many files the process may have open.</param>
/// <param name="OpenFiles">How many it has.</param>
public sealed record SystemFacts(
    string Host, string OperatingSystem, string Architecture, string DotNet, int Processors, long MemoryBytes, long? OpenFilesMax, int? OpenFiles);

/// <summary>A SQLite library.</summary>
/// <param name="Origin"><c>bundled</c>, <c>system</c> or the path that was asked for.</param>
/// <param name="Path">The file that was loaded.</param>
/// <param name="Version">For instance 3.40.1.</param>
/// <param name="SourceId">The check-in that it was built from.</param>
/// <param name="ThreadingMode"><c>single-thread</c>, <c>serialized</c> or <c>multi-thread</c>, as it was compiled.</param>
/// <param name="CompileOptions">The options that it was built with.</param>
public sealed record SqliteFacts(string Origin, string? Path, string Version, string SourceId, string ThreadingMode, IReadOnlyList<string> CompileOptions);

/// <summary>A data directory.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="FileSystem">For instance ext4; null if there is no such directory any more.</param>
/// <param name="FreeBytes">What is left of the file system; null as well then.</param>
/// <param name="TotalBytes">Its size; null as well then.</param>
/// <param name="Sync">How long a write takes to reach the disk; null if that was not asked for.</param>
public sealed record DirectoryFacts(string Path, string? FileSystem, long? FreeBytes, long? TotalBytes, SyncLatency? Sync);

/// <summary>A small write and its sync, measured in a file of its own in the data directory.</summary>
/// <param name="Samples">How many were measured.</param>
/// <param name="MedianMicroseconds">The median.</param>
/// <param name="MaxMicroseconds">The longest.</param>
public sealed record SyncLatency(int Samples, long MedianMicroseconds, long MaxMicroseconds);

/// <summary>The disk that one database takes on one node.</summary>
/// <param name="Database">Its directory's name: the database's, and its number.</param>
/// <param name="DatabaseBytes">The SQLite file.</param>
/// <param name="WriteAheadBytes">SQLite's write-ahead log.</param>
/// <param name="LogBytes">The replication log, what was filled ahead included.</param>
/// <param name="CutFiles">Files of entries that a later history lacked, kept for somebody to look at.</param>
/// <param name="DamagedFiles">Parts of a damaged log that were put aside, kept for somebody to look at; 0 from a node of a version that does not count them.</param>
public sealed record DatabaseSizes(string Database, long DatabaseBytes, long WriteAheadBytes, long LogBytes, int CutFiles, int DamagedFiles = 0);

/// <summary>How diagnoses are written and read.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(NodeDiagnosis))]
public sealed partial class DiagnosisJson : JsonSerializerContext;
