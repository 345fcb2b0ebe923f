using System.Security.Cryptography;
using Polygraph.Storage.Files;

namespace Polygraph.Node.Importing;

/// <summary>A file as it comes in: written, summed and synced as it grows. One caller at a time.</summary>
internal sealed class SeedFile(string path, long bytes) : IDisposable
{
    /// <summary>So that the disk is never kept busy for long by one sync, which the logs would wait for.</summary>
    private const long BytesBetweenSyncs = 32L << 20;

    private readonly IStorageFile _file = DiskFileSystem.Instance.Open(path, FileOpening.New);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _written;
    private long _synced;

    public bool IsComplete => _written == bytes;

    public void Append(ReadOnlySpan<byte> content)
    {
        _hash.AppendData(content);
        _file.Write(content, _written);
        _written += content.Length;
        if (_written - _synced >= BytesBetweenSyncs)
            Sync();
    }

    /// <summary>The SHA-256 of everything, which is durable on return.</summary>
    public string Complete()
    {
        Sync();
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }

    private void Sync()
    {
        _file.Sync();
        _synced = _written;
    }
}
