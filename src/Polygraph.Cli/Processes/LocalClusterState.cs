using System.Text.Json;
using System.Text.Json.Serialization;

namespace Polygraph.Cli.Processes;

/// <summary>
/// What <c>cluster.json</c> in the data directory of a running local cluster says, so that <c>down</c> ends exactly its processes and a second
/// <c>up</c> is refused. It is removed when the cluster ends; one whose processes are all gone says nothing.
/// </summary>
/// <param name="Owner">The <c>up</c> that holds the nodes; null if they were detached.</param>
/// <param name="Ephemeral">Whether the data is removed at the end.</param>
/// <param name="Nodes">The processes as they were started.</param>
public sealed record LocalClusterState(ProcessIdentity? Owner, bool Ephemeral, IReadOnlyList<NodeProcessState> Nodes)
{
    private const string FileName = "cluster.json";

    [JsonIgnore]
    public bool IsRunning => Owner is { IsRunning: true } || Nodes.Any(node => node.Process.IsRunning);

    /// <summary>Null if there is none.</summary>
    /// <exception cref="CommandFailedException">The file is not readable.</exception>
    public static LocalClusterState? Read(string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
            return null;

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), LocalClusterJson.Default.LocalClusterState);
        }
        catch (JsonException damaged)
        {
            throw new CommandFailedException(
                $"{path} is not readable: {damaged.Message}", "If no node of this cluster runs any more, remove the file and try again.");
        }
    }

    /// <summary>Replaces the file in one step: a reader sees the old or the new one.</summary>
    public void Write(string directory)
    {
        var path = Path.Combine(directory, FileName);
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(this, LocalClusterJson.Default.LocalClusterState));
        File.Move(path + ".new", path, overwrite: true);
    }

    public static void Remove(string directory)
    {
        if (Directory.Exists(directory))
            File.Delete(Path.Combine(directory, FileName));
    }
}

/// <summary>A node's process, certain beyond the reuse of its id.</summary>
public sealed record NodeProcessState(string Id, string Http, ProcessIdentity Process);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(LocalClusterState))]
internal sealed partial class LocalClusterJson : JsonSerializerContext;
