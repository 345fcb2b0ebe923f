using System.Net;
using System.Net.Http.Headers;

namespace Polygraph.Cluster.Tests.Importing;

/// <summary>A file of which a part is sent, and then nothing more comes.</summary>
internal sealed class StalledContent : HttpContent
{
    private readonly byte[] _file;
    private readonly int _sent;
    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StalledContent(byte[] file, int sent)
    {
        (_file, _sent) = (file, sent);
        Headers.ContentType = new MediaTypeHeaderValue("application/vnd.sqlite3");
        Headers.ContentLength = file.Length;
    }

    /// <summary>Completes when the part was sent.</summary>
    public Task Stalled => _stalled.Task;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(_file.AsMemory(0, _sent), cancellationToken);
        await stream.FlushAsync(cancellationToken);
        _stalled.TrySetResult();
        await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _file.Length;
        return true;
    }
}

/// <summary>A file that no disk has room for.</summary>
internal sealed class EndlessContent : HttpContent
{
    private const long Bytes = 1L << 60;

    public EndlessContent()
    {
        Headers.ContentType = new MediaTypeHeaderValue("application/vnd.sqlite3");
        Headers.ContentLength = Bytes;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        => throw new InvalidOperationException("It was asked for, although there can be no room for it.");

    protected override bool TryComputeLength(out long length)
    {
        length = Bytes;
        return true;
    }
}
