using System.Text.Json;
using System.Text.Json.Serialization;

namespace Polygraph.Node.Importing;

/// <summary>The answer to <c>POST /v1/db/{name}/import</c>. The property names, in camel case, are the JSON contract; more may be added.</summary>
/// <param name="Database">The new database.</param>
/// <param name="Bytes">The length of the file.</param>
/// <param name="FileDigest">Its <see cref="Polygraph.Storage.Seeds.SeedDigest"/>, 32 hexadecimal digits: what arrived at every node in <paramref name="Nodes"/>.</param>
/// <param name="Sha256">Its SHA-256, 64 hexadecimal digits, if the client announced one; it is the same.</param>
/// <param name="Tables">How many tables it has.</param>
/// <param name="Rows">How many rows they have.</param>
/// <param name="Nodes">The nodes that hold it durably.</param>
/// <param name="Missing">The nodes that were away or failed, and fetch it later.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record ImportReport(
    string Database, long Bytes, string FileDigest, string? Sha256, int Tables, long Rows, IReadOnlyList<string> Nodes, IReadOnlyList<string> Missing, double Seconds);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ImportReport))]
internal sealed partial class ImportJson : JsonSerializerContext;
