namespace Polygraph.CrashTest.Io;

/// <summary>Something that changes files, or makes changes durable.</summary>
internal enum IoKind : byte
{
    Create,
    Write,
    Truncate,
    Sync,
    Rename,
    Delete,
    SyncDirectory,

    /// <summary>SQLite's index of its write-ahead log grows or goes away.</summary>
    SharedMemory,
}

/// <summary>One operation that is about to happen, or has happened.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Path">The file; the directory of <see cref="IoKind.SyncDirectory"/>.</param>
/// <param name="Offset">Where a write begins; the new length of a truncated file.</param>
/// <param name="Bytes">How much is written.</param>
/// <param name="NewPath">The new name of a renamed file.</param>
internal readonly record struct IoPoint(IoKind Kind, string Path, long Offset = 0, int Bytes = 0, string? NewPath = null)
{
    /// <inheritdoc/>
    public override string ToString()
        => Kind switch
        {
            IoKind.Write => $"write of {Bytes} bytes at {Offset} of {System.IO.Path.GetFileName(Path)}",
            IoKind.Truncate => $"truncation of {System.IO.Path.GetFileName(Path)} to {Offset}",
            _ => $"{Kind} of {System.IO.Path.GetFileName(Path)}",
        };
}

/// <summary>How an operation fails.</summary>
internal enum IoFailure : byte
{
    None,

    /// <summary>ENOSPC.</summary>
    NoSpace,

    /// <summary>EIO.</summary>
    Device,
}

/// <summary>What shall become of an operation.</summary>
/// <param name="Failure">It fails with this, after <paramref name="TornBytes"/> of a write were done.</param>
/// <param name="TornBytes">Only so much of a write is done; then, without a failure, the tap is told to <see cref="IIoTap.Die"/>.</param>
internal readonly record struct IoDecision(IoFailure Failure, int? TornBytes)
{
    public static readonly IoDecision Proceed;
}

/// <summary>Stands between the storage engine and the disk: sees every operation of the log and of SQLite, and may end the process at any.</summary>
internal interface IIoTap
{
    /// <summary>Called before each operation. May not return.</summary>
    IoDecision Before(in IoPoint point);

    /// <summary>Called after each operation that was done.</summary>
    void After(in IoPoint point, ReadOnlySpan<byte> written);

    /// <summary>Ends the process in the middle of a write.</summary>
    void Die();
}
