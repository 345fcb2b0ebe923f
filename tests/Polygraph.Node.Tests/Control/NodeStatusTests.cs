using System.Text;
using System.Text.Json;
using Polygraph.Node.Control;

namespace Polygraph.Node.Tests.Control;

/// <summary>What a node says of itself is kept and shown, so it is taken whole or not at all.</summary>
public sealed class NodeStatusTests
{
    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"replicas":null}""")]
    [InlineData("""{"replicas":[null]}""")]
    [InlineData("""{"replicas":[{"group":1}]}""")]
    [InlineData("""{"replicas":[{"group":1,"report":{"node":null,"role":"leader"}}]}""")]
    [InlineData("""{"replicas":[{"group":1,"report":{"node":"n1"}}]}""")]
    public void A_status_that_lacks_a_part_is_refused(string json)
        => Assert.Throws<JsonException>(() => NodeStatus.FromJson(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Fields_that_an_older_version_does_not_send_may_be_missing()
        => Assert.Single(NodeStatus.FromJson("""{"replicas":[{"group":1,"report":{"node":"n1","role":"leader"}}]}"""u8).Replicas);
}
