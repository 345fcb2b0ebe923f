using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Polygraph.Node.Http;

/// <summary>How the reports are written, and read back by the command line and the console.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip)]
[JsonSerializable(typeof(ClusterReport))]
[JsonSerializable(typeof(DatabaseReport))]
[JsonSerializable(typeof(ReplicaReport))]
[JsonSerializable(typeof(LeaderReport))]
[JsonSerializable(typeof(VerificationReport))]
public sealed partial class ReportJson : JsonSerializerContext;

/// <summary>The body of <c>PUT /v1/db/{name}</c>; what is left out takes the cluster's default.</summary>
internal sealed record DatabaseSettings(string? Topology, string? Log, string? Ack);

/// <summary>How bodies that are not SQL are read: strictly, a field that is not known or is there twice is refused.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    PropertyNameCaseInsensitive = false,
    MaxDepth = 4)]
[JsonSerializable(typeof(DatabaseSettings))]
internal sealed partial class SettingsJson : JsonSerializerContext;

/// <summary>Writes a report as a whole answer.</summary>
internal static class ReportAnswer
{
    public static async Task SendAsync<T>(
        Microsoft.AspNetCore.Http.HttpContext context, T report, JsonTypeInfo<T> type, int status = 200)
    {
        var output = JsonOutput.Rent();
        try
        {
            JsonSerializer.Serialize(output.Writer, report, type);
            await output.SendAsync(context.Response, status, "application/json", context.RequestAborted);
        }
        finally
        {
            output.Return();
        }
    }
}
