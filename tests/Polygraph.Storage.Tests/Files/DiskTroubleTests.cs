using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Tests.Files;

/// <summary>Which failures are the disk's, so that a replica may go on by itself once the disk does.</summary>
public sealed class DiskTroubleTests
{
    public static TheoryData<Exception, bool> TroublesOfTheDisk => new()
    {
        { new IOException("No space left on device", 28), true },
        { new LogFailedException("/log", "syncing", new IOException("Disk quota exceeded", 122)), true },
        { new SqliteException(SqliteCode.Full, "database or disk is full"), true },
        { new IOException("Input/output error", 5), false },
        { new LogFailedException("/log", "opening", new UnauthorizedAccessException("Permission denied")), false },
        { new SqliteException(SqliteCode.InputOutput | (4 << 8), "disk I/O error"), false },
    };

    public static TheoryData<Exception> OtherTroubles => new()
    {
        new LogCorruptedException("/log/1.seg", 64, Position.Zero, "a bad record."),
        new InvariantViolationException("terms grow along the log"),
        new LogFailedException("/log", "syncing", new InvariantViolationException("terms grow along the log")),
        new SqliteException(SqliteCode.Corrupt, "database disk image is malformed"),
        new SqliteException(SqliteCode.Constraint, "UNIQUE constraint failed"),
    };

    [Theory]
    [MemberData(nameof(TroublesOfTheDisk))]
    public void A_failure_of_the_disk_is_known_as_one_and_says_what_to_do(Exception failure, bool isFull)
    {
        var trouble = DiskTrouble.Of(failure)!;

        Assert.Equal(isFull, trouble.IsFull);
        Assert.Contains(isFull ? "Free some space" : "look at the disk's health", trouble.Reason, StringComparison.Ordinal);
        Assert.Contains("goes on by itself", trouble.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(OtherTroubles))]
    public void No_other_failure_is_waited_out(Exception failure) => Assert.Null(DiskTrouble.Of(failure));
}
