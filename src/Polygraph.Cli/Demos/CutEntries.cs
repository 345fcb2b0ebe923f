using Polygraph.Storage.Log;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Cli.Demos;

/// <summary>What a node took out of its log, read from the files it kept.</summary>
public static class CutEntries
{
    /// <summary>The files of cut entries of one database in a node's data directory.</summary>
    public static IReadOnlyList<CutFile> Find(string dataDirectory, string database)
    {
        var databases = Path.Combine(dataDirectory, "databases");
        return Directory.Exists(databases)
            ? [.. Directory.EnumerateDirectories(databases, database + ".*").SelectMany(directory => CutFile.List(Path.Combine(directory, "log")))]
            : [];
    }

    /// <summary>One line an entry, and one a row that it wrote. A leader's empty first entry is left out.</summary>
    public static IEnumerable<string> Describe(CutFile file)
    {
        foreach (var entry in CutFile.Read(file.Path).Entries)
        {
            var (header, payload) = EntryCodec.Decode(entry.Record);
            if (header.Payload != PayloadFormat.Logical)
                continue;

            yield return $"entry {header.Position}, written at {Time(header):HH:mm:ss.fff} UTC, asked for {AckPolicyText.LevelName(header.AckRequested)}";
            foreach (var row in Rows(payload))
                yield return "  " + row;
        }
    }

    private static IEnumerable<string> Rows(ReadOnlyMemory<byte> payload)
    {
        var reader = new LogicalPayloadReader(payload);
        while (reader.Read(out var operation))
        {
            var text = operation.Kind switch
            {
                LogicalOperationKind.Schema or LogicalOperationKind.Sequence => operation.Text!,
                LogicalOperationKind.Statement => operation.Statement!.Sql,
                LogicalOperationKind.Vacuum => "VACUUM",
                LogicalOperationKind.Delete => $"{Table(reader, operation)} without ({Values(operation.Before)})",
                LogicalOperationKind.Insert => $"{Table(reader, operation)} with ({Values(operation.After)})",
                _ => $"{Table(reader, operation)}: ({Values(operation.Before)}) became ({Values(operation.After)})",
            };
            yield return text;
        }
    }

    private static string Table(LogicalPayloadReader reader, LogicalOperation operation) => reader.Tables[operation.Table].Name;

    private static string Values(ReadOnlyMemory<SqlValue> values) => string.Join(", ", values.ToArray());

    private static DateTimeOffset Time(EntryHeader header)
        => DateTimeOffset.UnixEpoch.AddTicks(header.WallTimeMicroseconds * TimeSpan.TicksPerMicrosecond);
}
