using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Storage.Tests.Log;

namespace Polygraph.Storage.Tests.Files;

public sealed class DiskFileSystemTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-files-").FullName;

    private static DiskFileSystem Disk => DiskFileSystem.Instance;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_file_does_what_the_port_says()
    {
        var path = Path.Combine(_directory, "a");
        using (var file = Disk.Open(path, FileOpening.New))
        {
            file.Write([1, 2, 3], 2);
            file.SetLength(4);
            file.SetLength(6);
            file.Sync();
            Assert.Equal(6, file.Length);
        }

        using var again = Disk.Open(path, FileOpening.ReadOnly);
        var bytes = new byte[10];
        Assert.Equal(5, again.Read(bytes, 1));
        Assert.Equal([0, 1, 2, 0, 0], bytes[..5]);
        Assert.Throws<IOException>(() => Disk.Open(path, FileOpening.New));
        Assert.Throws<FileNotFoundException>(() => Disk.Open(path + "x", FileOpening.Existing));
    }

    [Fact]
    public void Names_are_created_replaced_listed_and_deleted()
    {
        var directory = Path.Combine(_directory, "deep", "er");
        Assert.Empty(Disk.List(directory));
        Disk.CreateDirectory(directory);
        Disk.CreateDirectory(directory);
        foreach (var content in new byte[] { 1, 2 })
            Disk.ReplaceAtomically(Path.Combine(directory, "b"), file => file.Write([content], 0));
        Disk.ReplaceAtomically(Path.Combine(directory, "a"), file => file.Write([9], 0));

        Assert.Equal(["a", "b"], Disk.List(directory));
        Assert.Equal([2], File.ReadAllBytes(Path.Combine(directory, "b")));

        Disk.DeleteDurably(Path.Combine(directory, "b"));
        Disk.DeleteDurably(Path.Combine(directory, "b"));
        Assert.Equal(["a"], Disk.List(directory));
        Assert.Throws<IOException>(() => Disk.SyncDirectory(Path.Combine(_directory, "missing")));
    }

    [Fact]
    public void A_log_on_a_real_disk_rotates_cuts_and_reopens()
    {
        var options = LogFixture.SmallSegments;
        using (var log = ReplicationLog.Open(Disk, _directory, LogFixture.Group, options))
        {
            log.Tail.Append(LogFixture.Entries(1, 1, 50));
            log.Append(LogFixture.Entries(1, 1, 50));
            log.Sync();
            log.Tail.CutFrom(new(20));
            log.CutFrom(new(20), "a new leader went on from 19");
            log.Tail.Append(LogFixture.Entries(2, 20, 5));
            log.Append(LogFixture.Entries(2, 20, 5));
            log.Sync();
        }

        using var reopened = ReplicationLog.Open(Disk, _directory, LogFixture.Group, options);
        LogFixture.AssertSame([.. LogFixture.Entries(1, 1, 19), .. LogFixture.Entries(2, 20, 5)], LogFixture.ReadAll(reopened));
        var cut = Assert.Single(CutFile.List(_directory));
        Assert.Equal((20ul, 50ul, 1ul), (cut.First.Value, cut.Last.Index.Value, cut.Last.Term.Value));
        Assert.Equal("a new leader went on from 19", CutFile.Read(cut.Path).Reason);
        LogFixture.AssertSame(LogFixture.Entries(1, 20, 31), CutFile.Read(cut.Path).Entries);
    }

    [Fact]
    public void A_directory_has_one_owner_at_a_time()
    {
        var first = DirectoryLock.Acquire(_directory);

        Assert.Contains("in use", Assert.Throws<DirectoryInUseException>(() => DirectoryLock.Acquire(_directory)).Message, StringComparison.Ordinal);
        first.Dispose();
        DirectoryLock.Acquire(_directory).Dispose();
    }
}
