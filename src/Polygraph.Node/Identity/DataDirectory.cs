using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Node.Identity;

/// <summary>A node's identity as it stands in <c>node.json</c>: readable by people, replaced atomically, never edited.</summary>
internal sealed record NodeFile(int Format, string Node, string Incarnation, string? Cluster, IReadOnlyList<MemberFile>? Members);

/// <inheritdoc cref="NodeFile"/>
internal sealed record MemberFile(string Node, string Incarnation);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(NodeFile))]
internal sealed partial class IdentityJson : JsonSerializerContext;

/// <summary>A node's data directory: locked while the node runs, and marked with whom it belongs to.</summary>
internal sealed class DataDirectory : IDisposable
{
    private const int Format = 1;

    private readonly DirectoryLock _lock;
    private readonly string _file;

    private DataDirectory(DirectoryLock held, string path, NodeId node, Incarnation incarnation, FormedCluster? formed)
    {
        _lock = held;
        Path = path;
        _file = FileOf(path);
        Self = new MemberIdentity(node, incarnation);
        Formed = formed;
    }

    public string Path { get; }

    public MemberIdentity Self { get; }

    /// <summary>What the directory was formed as; null before the first start of the cluster is over.</summary>
    public FormedCluster? Formed { get; private set; }

    /// <summary>Takes the directory for a node; an empty one gets a new incarnation, which is durable before anybody hears of it.</summary>
    public static DataDirectory Open(string path, NodeId node, IEnumerable<NodeId> peers)
    {
        DirectoryLock held;
        try
        {
            held = DirectoryLock.Acquire(path);
        }
        catch (DirectoryInUseException e)
        {
            throw new NodeStartException(e.Message, "Stop the node that uses it, or give this one a --data directory of its own.", e);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new NodeStartException($"The data directory {path} cannot be used: {e.Message}", "Choose one that this user can write to.", e);
        }

        try
        {
            return File.Exists(FileOf(path)) ? Load(held, path, node, peers) : Create(held, path, node);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Makes the formation durable.</summary>
    public void Save(FormedCluster formed)
    {
        Write(_file, Self, formed);
        Formed = formed;
    }

    public void Dispose() => _lock.Dispose();

    private static DataDirectory Create(DirectoryLock held, string path, NodeId node)
    {
        if (Directory.Exists(System.IO.Path.Combine(path, "databases")))
        {
            throw new NodeStartException(
                $"The data directory {path} holds databases but no node.json: part of it was deleted.",
                "Restore node.json from where it went, or move the directory away and start this node with an empty one.");
        }

        var incarnation = new Incarnation(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)));
        Write(FileOf(path), new MemberIdentity(node, incarnation), null);
        return new DataDirectory(held, path, node, incarnation, null);
    }

    private static DataDirectory Load(DirectoryLock held, string path, NodeId node, IEnumerable<NodeId> peers)
    {
        var (self, formed) = Read(path);
        if (self.Id != node)
        {
            throw new NodeStartException(
                $"The data directory {path} belongs to node {self.Id}, and this node is {node}.", $"Start it with --id {self.Id}, or give {node} a directory of its own.");
        }

        var configured = peers.Order().ToList();
        if (formed is not null && !formed.Members.Select(member => member.Id).SequenceEqual(configured))
        {
            throw new NodeStartException(
                $"The cluster in {path} has the nodes {string.Join(", ", formed.Members.Select(member => member.Id))}, and --peers names {string.Join(", ", configured)}.",
                "Start every node with the peers that the cluster was formed with.");
        }

        return new DataDirectory(held, path, node, self.Incarnation, formed);
    }

    private static (MemberIdentity Self, FormedCluster? Formed) Read(string path) => Parse(File.ReadAllBytes(FileOf(path)), path);

    /// <summary>What <c>node.json</c> says.</summary>
    /// <exception cref="NodeStartException">It is not what this program writes.</exception>
    internal static (MemberIdentity Self, FormedCluster? Formed) Parse(ReadOnlySpan<byte> json, string path)
    {
        try
        {
            var file = JsonSerializer.Deserialize(json, IdentityJson.Default.NodeFile) ?? throw new JsonException("the file is empty");
            if (file.Format != Format)
                throw new JsonException($"it has format {file.Format}, this program knows {Format}");
            if (file.Node is null || file.Members?.Any(member => member?.Node is null) == true)
                throw new JsonException("a node has no name");
            var self = new MemberIdentity(new NodeId(file.Node), ParseIncarnation(file.Incarnation));
            if (file.Cluster is null || file.Members is null)
                return (self, null);
            var cluster = new ClusterId(UInt128.Parse(file.Cluster, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            return (self, new FormedCluster(cluster, [.. file.Members.Select(member => new MemberIdentity(new NodeId(member.Node), ParseIncarnation(member.Incarnation)))]));
        }
        catch (Exception e) when (e is JsonException or FormatException or OverflowException or ArgumentNullException)
        {
            throw new NodeStartException(
                $"{FileOf(path)} cannot be read: {e.Message}.",
                "It is never edited by hand; restore it, or move the directory away and start this node with an empty one.", e);
        }
    }

    private static Incarnation ParseIncarnation(string text)
        => new(ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private static void Write(string path, MemberIdentity self, FormedCluster? formed)
    {
        var bytes = ToJson(self, formed);
        DiskFileSystem.Instance.ReplaceAtomically(path, storage => storage.Write(bytes, 0));
    }

    internal static byte[] ToJson(MemberIdentity self, FormedCluster? formed)
    {
        var file = new NodeFile(
            Format,
            self.Id.Value,
            self.Incarnation.ToString(),
            formed?.Cluster.ToString(),
            formed?.Members.Select(member => new MemberFile(member.Id.Value, member.Incarnation.ToString())).ToList());
        return JsonSerializer.SerializeToUtf8Bytes(file, IdentityJson.Default.NodeFile);
    }

    private static string FileOf(string directory) => System.IO.Path.Combine(directory, "node.json");
}
