using System.Text.Json;
using System.Text.Json.Serialization;

namespace Polygraph.Cli.Client;

/// <summary>A request's body.</summary>
public sealed record SqlBody(IReadOnlyList<StatementBody> Statements);

public sealed record StatementBody(string Sql);

/// <summary>The body of a database's creation.</summary>
public sealed record CreateDatabaseBody(string? Topology, string? Log, string? Ack);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClusterView))]
[JsonSerializable(typeof(VerificationView))]
[JsonSerializable(typeof(SqlAnswer))]
[JsonSerializable(typeof(ProblemView))]
[JsonSerializable(typeof(SqlBody))]
[JsonSerializable(typeof(CreateDatabaseBody))]
[JsonSerializable(typeof(ImportView))]
[JsonSerializable(typeof(ExportView))]
internal sealed partial class ClusterJson : JsonSerializerContext;
