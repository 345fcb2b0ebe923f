using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Libraries;

/// <summary>One member in <c>sqlite-libraries.json</c>.</summary>
internal sealed record LibraryRecord(string Node, string Version, string Fingerprint);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<LibraryRecord>))]
[JsonSerializable(typeof(SchemaTrialRequest))]
[JsonSerializable(typeof(SchemaTrialReply))]
internal sealed partial class LibraryJson : JsonSerializerContext;

/// <summary>
/// <c>sqlite-libraries.json</c> in a node's data directory: which SQLite library each other member ran when it was last connected. Replaced
/// atomically. A file that is not there or cannot be read means that nothing is known, which is the safe side: schema changes then wait for
/// the members to say it again.
/// </summary>
internal sealed class LibraryFile(string directory)
{
    private readonly string _path = Path.Combine(directory, "sqlite-libraries.json");

    public Dictionary<NodeId, LibraryIdentity> Read()
    {
        try
        {
            var records = JsonSerializer.Deserialize(File.ReadAllBytes(_path), LibraryJson.Default.IReadOnlyListLibraryRecord) ?? [];
            return records.ToDictionary(
                record => new NodeId(record.Node),
                record => new LibraryIdentity(record.Version, UInt128.Parse(record.Fingerprint, NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
        }
        catch (Exception failure) when (failure is IOException or JsonException or FormatException or OverflowException or ArgumentException)
        {
            return [];
        }
    }

    public void Write(IReadOnlyDictionary<NodeId, LibraryIdentity> libraries)
    {
        IReadOnlyList<LibraryRecord> records =
        [
            .. libraries.OrderBy(known => known.Key).Select(known => new LibraryRecord(
                known.Key.Value, known.Value.Version, known.Value.Fingerprint.ToString("x32", CultureInfo.InvariantCulture))),
        ];
        var bytes = JsonSerializer.SerializeToUtf8Bytes(records, LibraryJson.Default.IReadOnlyListLibraryRecord);
        DiskFileSystem.Instance.ReplaceAtomically(_path, storage => storage.Write(bytes, 0));
    }
}
