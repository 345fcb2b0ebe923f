using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Polygraph.Node.Control;
using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Reseeding;

/// <summary>No snapshot could be had from a node; another may have one.</summary>
internal sealed class SnapshotUnavailableException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>
/// Fetches a snapshot from another node: asks it to make one, then takes it in over HTTP, chunk by chunk, each checked. What was received stays
/// for the next attempt, of this process or the next, as long as the source keeps the same snapshot.
/// </summary>
internal sealed class SnapshotFetcher : IDisposable
{
    private static readonly TimeSpan CallPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>A connection that brings nothing for so long is given up and made anew.</summary>
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Connections that broke without a chunk between them: ten seconds of trying, in which a node restarts.</summary>
    private const int BreaksMax = 20;

    private readonly MemberIdentity _self;
    private readonly ClusterIdentity _identity;
    private readonly PeerCalls _calls;
    private readonly StatusBoard _status;
    private readonly NodeClock _clock;
    private readonly HttpClient _http;
    private long _bytesReceived;

    [SuppressMessage("Reliability", "CA2000", Justification = "The client disposes of its handler.")]
    public SnapshotFetcher(MemberIdentity self, ClusterIdentity identity, PeerCalls calls, StatusBoard status, NodeClock clock)
    {
        _self = self;
        _identity = identity;
        _calls = calls;
        _status = status;
        _clock = clock;

        // The cluster's own nodes are not reached through anybody's proxy.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = CallPatience, AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>How many bytes of snapshots were taken in.</summary>
    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary>A snapshot of this node's, or what is there of one that this source still keeps.</summary>
    /// <param name="source">Who gives it.</param>
    /// <param name="group">Of which database.</param>
    /// <param name="atLeast">An older one does not help.</param>
    /// <param name="home">Where it goes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="SnapshotUnavailableException">The source gives none.</exception>
    public async Task<IncomingSnapshot> BeginAsync(NodeId source, GroupId group, LogIndex atLeast, ReplicaHome home, CancellationToken cancellation)
    {
        if (IncomingSnapshot.TryResume(DiskFileSystem.Instance, home) is { } resumed)
        {
            var goesOn = false;
            try
            {
                goesOn = resumed.Manifest.Node == source.Value && resumed.Manifest.Position.Index >= atLeast
                    && await AskAsync(source, group, SnapshotAsk.Keep, resumed.Manifest.Snapshot, cancellation).ConfigureAwait(false) is { Snapshot: not null };
                if (goesOn && !resumed.IsComplete && DiskRoom.Lack(home.Path, resumed.Manifest.Bytes - resumed.Offset) is { } lack)
                {
                    goesOn = false;
                    throw NoRoom(lack);
                }
            }
            finally
            {
                if (!goesOn)
                    resumed.Dispose();
            }

            if (goesOn)
                return resumed;
        }

        var manifest = await PrepareAsync(source, group, atLeast, cancellation).ConfigureAwait(false);
        if (manifest.Group != group.Value || manifest.Cluster != _identity.Cluster.ToString() || manifest.Node != source.Value)
            throw new SnapshotRefusedException($"{source} described a snapshot of another database.");
        if (manifest.Position.Index < atLeast)
            throw new SnapshotUnavailableException($"the snapshot holds {manifest.Position}, and one through {atLeast} is needed");
        home.ForgetIncoming(DiskFileSystem.Instance); // It takes room, and is of no use any more.
        if (DiskRoom.Lack(home.Path, manifest.Bytes) is { } full)
            throw NoRoom(full);
        return IncomingSnapshot.Begin(DiskFileSystem.Instance, home, manifest);
    }

    /// <summary>Takes in what is missing, and checks the whole. Durable on return.</summary>
    /// <exception cref="SnapshotRefusedException">What came is not what was described.</exception>
    /// <exception cref="SnapshotUnavailableException">The source no longer has it, or is not reached.</exception>
    public async Task FetchAsync(NodeId source, IncomingSnapshot snapshot, Action<IncomingSnapshot> progress, CancellationToken cancellation)
    {
        var breaks = 0;
        while (!snapshot.IsComplete)
        {
            var before = snapshot.NextChunk;
            try
            {
                await FetchRangeAsync(source, snapshot, progress, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (IsBreak(e, cancellation))
            {
                breaks = snapshot.NextChunk > before ? 0 : breaks + 1;
                if (breaks >= BreaksMax)
                    throw new SnapshotUnavailableException($"{source} could not be reached for its snapshot: {e.Message}", e);
                await Task.Delay(RetryPause, _clock.Time, cancellation).ConfigureAwait(false);
            }
        }

        snapshot.Complete();
    }

    /// <summary>One question about a snapshot; null if the node did not answer.</summary>
    public async Task<SnapshotReply?> AskAsync(NodeId source, GroupId group, string ask, Guid? snapshot, CancellationToken cancellation, LogIndex atLeast = default)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(new SnapshotRequest(group.Value, ask, snapshot, atLeast.Value), ReseedJson.Default.SnapshotRequest);
        var answer = await _calls.CallAsync(source, PeerMethod.Snapshot, payload, CallPatience, cancellation).ConfigureAwait(false);
        return answer.Answer is { } bytes ? JsonSerializer.Deserialize(bytes.Span, ReseedJson.Default.SnapshotReply) : null;
    }

    public void Dispose() => _http.Dispose();

    private SnapshotUnavailableException NoRoom(string lack) => new($"{_self.Id} has no room for the snapshot: {lack}");

    private async Task<SnapshotManifest> PrepareAsync(NodeId source, GroupId group, LogIndex atLeast, CancellationToken cancellation)
    {
        Guid? asked = null;
        while (true)
        {
            var reply = await AskAsync(source, group, SnapshotAsk.Prepare, asked, cancellation, atLeast).ConfigureAwait(false)
                ?? throw new SnapshotUnavailableException($"{source} does not answer");
            if (reply.Snapshot is null)
                throw new SnapshotUnavailableException(reply.Reason ?? $"{source} gives no snapshot");
            if (reply.Manifest is { } manifest)
                return SnapshotManifest.FromJson(Encoding.UTF8.GetBytes(manifest));
            asked = reply.Snapshot;
            await Task.Delay(PollInterval, _clock.Time, cancellation).ConfigureAwait(false);
        }
    }

    private async Task FetchRangeAsync(NodeId source, IncomingSnapshot snapshot, Action<IncomingSnapshot> progress, CancellationToken cancellation)
    {
        var address = _status.HttpAddressOf(source) ?? throw new HttpRequestException($"{source} is not connected.");
        using var silence = new CancellationTokenSource(SilenceMax, _clock.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, silence.Token);
        using var request = new HttpRequestMessage(
            HttpMethod.Get, address + SnapshotEndpoint.PathOf(new GroupId(snapshot.Manifest.Group), snapshot.Manifest.Snapshot));
        MemberHeaders.Write(request, _identity.Formed!, _self.Id);
        request.Headers.Range = new RangeHeaderValue(snapshot.Offset, null);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop.Token).ConfigureAwait(false);
        if (response.StatusCode == System.Net.HttpStatusCode.NotFound)
            await ThrowIfGoneAsync(source, snapshot.Manifest, cancellation).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        var body = await response.Content.ReadAsStreamAsync(stop.Token).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            var buffer = new byte[snapshot.Manifest.ChunkBytes];
            while (!snapshot.IsComplete)
            {
                var chunk = buffer.AsMemory(0, snapshot.Manifest.LengthOfChunk(snapshot.NextChunk));
                await ReadAsync(body, chunk, silence, stop.Token).ConfigureAwait(false);
                snapshot.Add(chunk.Span);
                Interlocked.Add(ref _bytesReceived, chunk.Length);
                progress(snapshot);
            }
        }
    }

    // A node that has just started does not know its snapshots yet.
    private async Task ThrowIfGoneAsync(NodeId source, SnapshotManifest manifest, CancellationToken cancellation)
    {
        var reply = await AskAsync(source, new GroupId(manifest.Group), SnapshotAsk.Keep, manifest.Snapshot, cancellation).ConfigureAwait(false);
        if (reply is { IsGone: true })
            throw new SnapshotUnavailableException(reply.Reason!);
    }

    private static async Task ReadAsync(Stream body, Memory<byte> chunk, CancellationTokenSource silence, CancellationToken stop)
    {
        while (!chunk.IsEmpty)
        {
            silence.CancelAfter(SilenceMax);
            int read;
            try
            {
                read = await body.ReadAsync(chunk, stop).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                throw new HttpRequestException(e.Message, e);
            }

            if (read == 0)
                throw new HttpRequestException("The connection ended before the snapshot did.");
            chunk = chunk[read..];
        }
    }

    /// <summary>
    /// Whether an exchange was cut short, so that another attempt may succeed. A connection that is reset between its making and its first use is told by a
    /// bare <see cref="SocketException"/>. An <see cref="IOException"/> is none of the network's by now (see <see cref="ReadAsync"/>): the disk's own troubles end the
    /// attempt.
    /// </summary>
    internal static bool IsBreak(Exception e, CancellationToken cancellation)
        => !cancellation.IsCancellationRequested && e is HttpRequestException or SocketException or OperationCanceledException;
}
