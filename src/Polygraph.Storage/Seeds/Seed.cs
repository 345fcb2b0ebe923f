using System.Text.Json;
using System.Text.Json.Serialization;

namespace Polygraph.Storage.Seeds;

/// <summary>
/// The rows that an imported database began with, before the first entry of its log: one SQLite file, the same bytes on every node.
/// </summary>
/// <param name="Id">Names the seed; stands in the cluster's metadata and in every replica's file.</param>
/// <param name="Bytes">The length of the file that was imported.</param>
/// <param name="Digest">Its <see cref="SeedDigest"/>: what the other nodes compare.</param>
/// <param name="Tables">Every table and the digest of its rows, read once by the node that took the file in.</param>
public sealed record Seed(Guid Id, long Bytes, string Digest, IReadOnlyList<SeedTable> Tables)
{
    /// <summary>How a replica's file says which seed it began with; no such table means none.</summary>
    internal const string TableName = "polygraph_seed";

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, SeedJson.Default.Seed);

    /// <exception cref="JsonException">It is not a seed's description.</exception>
    public static Seed FromJson(ReadOnlySpan<byte> json)
        => JsonSerializer.Deserialize(json, SeedJson.Default.Seed) ?? throw new JsonException("The description of the seed is empty.");
}

/// <summary>A table of a seed.</summary>
/// <param name="Table">Its name.</param>
/// <param name="Rows">How many rows it has.</param>
/// <param name="Digest">The digest of them, 32 hexadecimal digits.</param>
public sealed record SeedTable(string Table, long Rows, string Digest);

/// <summary>The file cannot become a replicated database. The message says why and what to do.</summary>
public sealed class SeedRefusedException(string message, Exception? cause = null) : Exception(message, cause);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Seed))]
internal sealed partial class SeedJson : JsonSerializerContext;
