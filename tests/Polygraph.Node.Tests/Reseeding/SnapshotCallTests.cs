using System.Text;
using System.Text.Json;
using Polygraph.Node.Reseeding;

namespace Polygraph.Node.Tests.Reseeding;

public sealed class SnapshotCallTests
{
    [Fact]
    public void A_snapshot_that_is_still_being_made_has_no_manifest()
    {
        var id = Guid.NewGuid();
        var json = JsonSerializer.SerializeToUtf8Bytes(new SnapshotReply(id, null, null), ReseedJson.Default.SnapshotReply);
        Assert.Equal($$"""{"snapshot":"{{id}}","manifest":null,"reason":null,"isGone":false}""", Encoding.UTF8.GetString(json));
        var reply = JsonSerializer.Deserialize(json, ReseedJson.Default.SnapshotReply)!;
        Assert.Equal(id, reply.Snapshot);
        Assert.Null(reply.Manifest);
    }
}
