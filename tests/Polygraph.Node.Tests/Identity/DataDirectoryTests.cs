using Polygraph.Node.Identity;
using Polygraph.Protocol;

namespace Polygraph.Node.Tests.Identity;

public sealed class DataDirectoryTests : IDisposable
{
    private static readonly NodeId N1 = new("n1");
    private static readonly NodeId N2 = new("n2");

    private readonly string _path = Directory.CreateTempSubdirectory("polygraph-data-").FullName;

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void A_directory_keeps_its_incarnation_and_its_cluster()
    {
        MemberIdentity self;
        FormedCluster formed;
        using (var first = DataDirectory.Open(_path, N1, [N1, N2]))
        {
            self = first.Self;
            formed = new FormedCluster(new ClusterId(7), [self, new MemberIdentity(N2, new Incarnation(5))]);
            first.Save(formed);
        }

        using var again = DataDirectory.Open(_path, N1, [N2, N1]);

        Assert.Equal(self, again.Self);
        Assert.True(formed.IsSameAs(again.Formed!));
    }

    [Fact]
    public void Two_new_directories_are_two_incarnations()
    {
        using var one = DataDirectory.Open(Path.Combine(_path, "a"), N1, [N1]);
        using var other = DataDirectory.Open(Path.Combine(_path, "b"), N1, [N1]);

        Assert.NotEqual(one.Self.Incarnation, other.Self.Incarnation);
    }

    [Fact]
    public void A_directory_in_use_is_refused()
    {
        using var held = DataDirectory.Open(_path, N1, [N1]);

        var refusal = Assert.Throws<NodeStartException>(() => DataDirectory.Open(_path, N1, [N1]));
        Assert.Contains("in use", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_directory_of_another_node_is_refused()
    {
        DataDirectory.Open(_path, N1, [N1, N2]).Dispose();

        var refusal = Assert.Throws<NodeStartException>(() => DataDirectory.Open(_path, N2, [N1, N2]));
        Assert.Contains("belongs to node n1", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_peers_than_the_cluster_was_formed_with_are_refused()
    {
        using (var first = DataDirectory.Open(_path, N1, [N1, N2]))
            first.Save(new FormedCluster(new ClusterId(7), [first.Self, new MemberIdentity(N2, new Incarnation(5))]));

        Assert.Throws<NodeStartException>(() => DataDirectory.Open(_path, N1, [N1]));

        // The refusal let go of the directory.
        DataDirectory.Open(_path, N1, [N1, N2]).Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"format\":99,\"node\":\"n1\",\"incarnation\":\"1\"}")]
    [InlineData("{\"format\":1,\"node\":\"n1\",\"incarnation\":\"not hex\"}")]
    public void A_damaged_identity_is_refused_with_what_to_do(string content)
    {
        File.WriteAllText(Path.Combine(_path, "node.json"), content);

        var refusal = Assert.Throws<NodeStartException>(() => DataDirectory.Open(_path, N1, [N1]));
        Assert.NotEmpty(refusal.Hint);
    }

    [Fact]
    public void Databases_without_an_identity_are_not_taken_for_a_new_node()
    {
        Directory.CreateDirectory(Path.Combine(_path, "databases"));

        Assert.Throws<NodeStartException>(() => DataDirectory.Open(_path, N1, [N1]));
    }
}
