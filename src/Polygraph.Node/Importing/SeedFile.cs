using Microsoft.Win32.SafeHandles;
using Polygraph.Storage.Seeds;

namespace Polygraph.Node.Importing;

/// <summary>
/// A file as it comes in: written, summed, and brought to the disk while more comes in, so that little is left to be synced at the end, when it is
/// prepared. One caller at a time.
/// </summary>
internal sealed class SeedFile(string path, long bytes) : IDisposable
{
    /// <summary>So much may wait for the disk: a slow one slows the import down, and one sync never keeps the logs' disk busy for long.</summary>
    private const long BytesBetweenSyncs = 32L << 20;

    private readonly SafeFileHandle _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
    private readonly SeedDigest _digest = new(bytes);
    private long _written;
    private long _synced;
    private Task _syncing = Task.CompletedTask;

    public bool IsComplete => _written == bytes;

    public async Task AppendAsync(ReadOnlyMemory<byte> content)
    {
        _digest.Append(content.Span);
        RandomAccess.Write(_file, content.Span, _written);
        _written += content.Length;
        if (_written - _synced < BytesBetweenSyncs)
            return;
        await _syncing.ConfigureAwait(false);
        _synced = _written;
        _syncing = Task.Run(() => RandomAccess.FlushToDisk(_file));
    }

    /// <summary>The digest of everything. Not durable before it is prepared.</summary>
    public async Task<string> CompleteAsync()
    {
        await _syncing.ConfigureAwait(false);
        return _digest.Complete();
    }

    public void Dispose()
    {
        // The handle must outlive a sync that runs; what it says counts only for whoever completes the file.
        _syncing.ContinueWith(static _ => { }, TaskScheduler.Default).Wait();
        _file.Dispose();
    }
}
