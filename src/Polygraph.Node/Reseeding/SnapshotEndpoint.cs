using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Polygraph.Node.Control;
using Polygraph.Node.Http;
using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Node.Reseeding;

/// <summary>
/// Gives snapshots to the other nodes of the cluster, on the HTTP port: so the bulk of a database never stands in the way of heartbeats, which
/// have connections of their own. Resumed with a range.
/// </summary>
internal sealed class SnapshotEndpoint(ClusterIdentity identity, DatabaseRegistry databases, SnapshotSources sources, long? bytesPerSecond, NodeClock clock)
{
    private const int BufferBytes = 256 << 10;

    /// <summary>With a limit on the rate: in how many pieces a second's worth is sent.</summary>
    private const int PiecesPerSecond = 10;

    private const string RangePrefix = "bytes=";

    public static string PathOf(GroupId group, Guid snapshot)
        => string.Create(CultureInfo.InvariantCulture, $"/internal/snapshots/{group.Value}/{snapshot:N}");

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/internal/snapshots/{group}/{snapshot}", (RequestDelegate)AnswerAsync);

    private async Task AnswerAsync(HttpContext context)
    {
        MemberHeaders.Check(context.Request, identity);
        if (Find(context.Request) is not { } snapshot)
            throw Refused(404, "SNAPSHOT_UNKNOWN", "That snapshot is not here, or no longer.");
        var offset = OffsetOf(context.Request, snapshot.Manifest!.Bytes);
        context.Response.StatusCode = StatusCodes.Status206PartialContent;
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = snapshot.Manifest.Bytes - offset;
        await SendAsync(context, snapshot, offset).ConfigureAwait(false);
    }

    private async Task SendAsync(HttpContext context, OutgoingSnapshot snapshot, long offset)
    {
        using var file = DiskFileSystem.Instance.Open(snapshot.Path, FileOpening.ReadOnly);
        var buffer = new byte[Math.Clamp((bytesPerSecond ?? long.MaxValue) / PiecesPerSecond, 1, BufferBytes)];
        var began = clock.Now;
        long sent = 0;
        while (file.Read(buffer, offset + sent) is var read and > 0)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted).ConfigureAwait(false);
            sent += read;
            snapshot.Used = clock.Now;
            sources.CountSent(read);
            var ahead = bytesPerSecond is { } rate ? TimeSpan.FromSeconds((double)sent / rate) - (clock.Now - began) : TimeSpan.Zero;
            if (ahead > TimeSpan.Zero)
                await Task.Delay(ahead, clock.Time, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private OutgoingSnapshot? Find(HttpRequest request)
        => uint.TryParse((string?)request.RouteValues["group"], NumberStyles.None, CultureInfo.InvariantCulture, out var group)
            && Guid.TryParseExact((string?)request.RouteValues["snapshot"], "N", out var id)
            && databases.Find(new GroupId(group)) is { } replica
                ? sources.Find(replica.Database, id)
                : null;

    private static long OffsetOf(HttpRequest request, long length)
    {
        if (request.Headers.Range.Count == 0)
            return 0;
        var range = request.Headers.Range.ToString();
        return range.StartsWith(RangePrefix, StringComparison.Ordinal) && range.EndsWith('-')
            && long.TryParse(range.AsSpan(RangePrefix.Length, range.Length - RangePrefix.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            && offset < length
                ? offset
                : throw Refused(416, "RANGE_UNKNOWN", "Only a range from an offset within the snapshot to its end is known here.");
    }

    private static RequestRefusedException Refused(int status, string code, string detail)
        => new(new Wire.Sql.SqlProblem(status, code, "The snapshot is not given", detail, Outcome.NotApplied));
}
