using System.Buffers.Binary;
using System.Text;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Storage.Snapshots;
using Polygraph.Storage.Tests.Files;
using Polygraph.Storage.Tests.Log;

namespace Polygraph.Storage.Tests.Snapshots;

/// <summary>A swap leaves the old replica or the new one, whenever the power fails.</summary>
public sealed class SnapshotInstallTests
{
    private const int SurvivorsPerStep = 8;

    private static readonly ReplicaHome Home = new("/home");
    private static readonly GroupId Group = LogFixture.Group;
    private static readonly ReplicationLogOptions Options = LogFixture.SmallSegments;

    [Theory]
    [InlineData(LogFate.Keep)]
    [InlineData(LogFate.Reset)]
    [InlineData(LogFate.Create)]
    public void A_power_loss_at_any_operation_leaves_the_old_replica_or_the_new_one(LogFate fate)
    {
        var snapshotAt = fate == LogFate.Keep ? 20ul : 50ul;
        for (var operation = 0; ; operation++)
        {
            var disk = Prepare(damaged: fate == LogFate.Create);
            var manifest = Manifest(snapshotAt);
            disk.OperationsUntilPowerLoss = operation;
            var failed = true;
            try
            {
                SnapshotInstall.Begin(disk, Home, manifest, fate);
                Assert.True(SnapshotInstall.Finish(disk, Home, Group, Options));
                SnapshotInstall.ForgetReplaced(disk, Home);
                failed = false;
            }
            catch (PowerLossException)
            {
            }

            for (var survivor = 0; survivor < SurvivorsPerStep; survivor++)
                CheckSurvivor(disk.AfterPowerLoss(new Random((operation * 100) + survivor)), fate, snapshotAt, mustBeNew: !failed);
            if (failed)
                continue;
            Assert.True(operation > 8, "the scenario has operations to fail at");
            return;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_download_that_begins_while_an_installation_is_unfinished_is_never_put_in_place_by_a_crash(bool swapped)
    {
        for (var operation = 0; ; operation++)
        {
            var disk = Prepare(damaged: swapped);
            SnapshotInstall.Begin(disk, Home, Manifest(50), LogFate.Reset);
            if (swapped)
                Assert.Throws<LogCorruptedException>(() => SnapshotInstall.Finish(disk, Home, Group, Options));
            disk.OperationsUntilPowerLoss = operation;
            var failed = true;
            try
            {
                using var incoming = IncomingSnapshot.Begin(disk, Home, Manifest(60) with { Bytes = 6, ChunkBytes = 3, Checksums = ChecksumsOf("par", "ted") });
                incoming.Add("par"u8);
                failed = false;
            }
            catch (PowerLossException)
            {
            }

            for (var survivor = 0; survivor < SurvivorsPerStep; survivor++)
            {
                var after = disk.AfterPowerLoss(new Random((operation * 100) + survivor));
                if (swapped)
                    Assert.Throws<LogCorruptedException>(() => SnapshotInstall.Finish(after, Home, Group, Options));
                else
                    SnapshotInstall.Finish(after, Home, Group, Options);
                Assert.Contains(Encoding.UTF8.GetString(after.Content(Home.Database)), swapped ? ["new"] : (string[])["old", "new"]);
            }

            if (failed)
                continue;
            Assert.True(operation > 5, "the scenario has operations to fail at");
            return;
        }
    }

    [Fact]
    public void A_download_that_turns_out_damaged_is_not_put_in_place_by_a_plan_that_was_made_before()
    {
        var disk = Prepare(damaged: false);
        var manifest = Manifest(50) with { Bytes = 6, ChunkBytes = 3, Checksums = ChecksumsOf("new", "ted") };
        disk.ReplaceAtomically(Home.IncomingManifest, file => file.Write(manifest.ToJson(), 0));
        SnapshotInstall.Begin(disk, Home, manifest, LogFate.Reset);
        using (var resumed = IncomingSnapshot.TryResume(disk, Home)!)
            Assert.Equal(1, resumed.NextChunk);
        Assert.False(SnapshotInstall.Finish(disk, Home, Group, Options));
        Assert.Equal("old", Encoding.UTF8.GetString(disk.Content(Home.Database)));
    }

    [Fact]
    public void Entries_that_the_new_history_lacks_are_saved_before_the_log_is_reset()
    {
        var disk = Prepare(damaged: false);
        var terms = TermHistory.Empty.Append(At(1, 1)).Append(At(2, 25));
        var manifest = Manifest(60) with { Term = 2, Terms = [.. terms.Starts.Select(start => new SnapshotTerm(start.Term.Value, start.Index.Value))] };
        using (var log = ReplicationLog.Open(disk, Home.Log, Group, Options))
            Assert.Equal(LogFate.Reset, SnapshotInstall.FateOf(log, manifest));
        SnapshotInstall.Begin(disk, Home, manifest, LogFate.Reset);
        SnapshotInstall.Finish(disk, Home, Group, Options);
        var cut = CutFile.Read(disk, Assert.Single(CutFile.List(disk, Home.Log)).Path);
        LogFixture.AssertSame(LogFixture.Entries(1, 25, 6), cut.Entries);
    }

    [Fact]
    public void The_log_is_kept_exactly_when_it_holds_the_snapshots_position()
    {
        var disk = Prepare(damaged: false);
        using var log = ReplicationLog.Open(disk, Home.Log, Group, Options);
        Assert.Equal(LogFate.Keep, SnapshotInstall.FateOf(log, Manifest(30)));
        Assert.Equal(LogFate.Keep, SnapshotInstall.FateOf(log, Manifest(1)));
        Assert.Equal(LogFate.Reset, SnapshotInstall.FateOf(log, Manifest(31)));
        Assert.Equal(LogFate.Reset, SnapshotInstall.FateOf(log, Manifest(30) with { Term = 2, Terms = [new(1, 1), new(2, 28)] }));

        // A snapshot from before the log's beginning could only be used by losing what the log holds.
        log.DropBefore(new LogIndex(25));
        Assert.True(log.First.Value > 2, $"the log begins at {log.First}");
        Assert.Throws<SnapshotRefusedException>(() => SnapshotInstall.FateOf(log, Manifest(1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_failing_disk_may_not_have_kept_is_fetched_again(bool atSync)
    {
        const int Chunk = 16 << 20; // Two of them are synced at once.
        var disk = Prepare(damaged: false);
        var chunk = new byte[Chunk];
        new Random(1).NextBytes(chunk);
        var checksums = new byte[sizeof(uint) * 4];
        for (var i = 0; i < 4; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(checksums.AsSpan(i * sizeof(uint)), Crc32C.Of(chunk));
        var manifest = Manifest(20) with { Bytes = 4L * Chunk, ChunkBytes = Chunk, Checksums = checksums };
        using (var incoming = IncomingSnapshot.Begin(disk, Home, manifest))
        {
            incoming.Add(chunk);
            incoming.Add(chunk);
            incoming.Add(chunk);
            if (atSync)
                disk.NextSyncFails = new IOException("the disk failed");
            else
                disk.NextWriteFails = new IOException("No space left on device");
            Assert.Throws<IOException>(() => incoming.Add(chunk));
        }

        using var resumed = IncomingSnapshot.TryResume(disk, Home);
        Assert.Equal(2, resumed!.NextChunk);
    }

    [Fact]
    public void The_relearn_marker_stays_until_it_is_removed()
    {
        var disk = Prepare(damaged: false);
        Assert.False(RelearnMarker.IsSet(disk, Home));
        RelearnMarker.Set(disk, Home);
        RelearnMarker.Set(disk, Home);
        disk = disk.AfterPowerLoss(new Random(1));
        Assert.True(RelearnMarker.IsSet(disk, Home));
        RelearnMarker.Remove(disk, Home);
        Assert.False(RelearnMarker.IsSet(disk.AfterPowerLoss(new Random(2)), Home));
    }

    private static void CheckSurvivor(PowerLossFileSystem disk, LogFate fate, ulong snapshotAt, bool mustBeNew)
    {
        var wasBegun = disk.Exists(Home.InstallMarker);
        SnapshotInstall.Finish(disk, Home, Group, Options);
        var database = Encoding.UTF8.GetString(disk.Content(Home.Database));
        if (database == "old")
        {
            Assert.False(mustBeNew || wasBegun, "a swap that was begun is finished");
            Assert.Equal("old wal", Encoding.UTF8.GetString(disk.Content(Home.Database + "-wal")));
            Assert.True(disk.Exists(Home.IncomingFile), "the download is still there");
            if (fate != LogFate.Create)
                AssertOldLog(disk);
            return;
        }

        Assert.Equal("new", database);
        Assert.False(disk.Exists(Home.Database + "-wal"), "the new database does not stand beside the old one's write-ahead log");
        Assert.False(disk.Exists(Home.InstallMarker));
        Assert.False(disk.Exists(Home.IncomingFile));
        if (fate == LogFate.Keep)
        {
            AssertOldLog(disk);
            return;
        }

        using var log = ReplicationLog.Open(disk, Home.Log, Group, Options);
        Assert.Equal(At(1, snapshotAt), log.Last);
        Assert.Equal(new LogIndex(snapshotAt + 1), log.First);
        Assert.Equal(fate == LogFate.Create, SnapshotInstall.HasDamagedLog(disk, Home));
    }

    private static void AssertOldLog(PowerLossFileSystem disk)
    {
        using var log = ReplicationLog.Open(disk, Home.Log, Group, Options);
        LogFixture.AssertSame(LogFixture.Entries(1, 1, 30), LogFixture.ReadAll(log));
    }

    private static PowerLossFileSystem Prepare(bool damaged)
    {
        var disk = new PowerLossFileSystem();
        foreach (var (path, content) in ((string, string)[])
            [(Home.Database, "old"), (Home.Database + "-wal", "old wal"), (Home.IncomingFile, "new"), (Home.IncomingManifest, "{}")])
        {
            disk.ReplaceAtomically(path, file => file.Write(Encoding.UTF8.GetBytes(content), 0));
        }

        using (var log = ReplicationLog.Open(disk, Home.Log, Group, Options))
        {
            log.Append(LogFixture.Entries(1, 1, 30));
            log.Sync();
        }

        if (!damaged)
            return disk;
        disk.Damage(Path.Combine(Home.Log, $"{1:x16}.seg"), bytes => bytes[200] ^= 1);
        Assert.Throws<LogCorruptedException>(() => ReplicationLog.Open(disk, Home.Log, Group, Options));
        return disk;
    }

    private static SnapshotManifest Manifest(ulong index)
        => new(1, Guid.Empty, "00", Group.Value, "n1", 1, index, [new(1, 1)], 3, 4096, 4096, new byte[4], "", [], "");

    private static byte[] ChecksumsOf(params string[] chunks)
    {
        var checksums = new byte[sizeof(uint) * chunks.Length];
        for (var i = 0; i < chunks.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(checksums.AsSpan(i * sizeof(uint)), Crc32C.Of(Encoding.UTF8.GetBytes(chunks[i])));
        return checksums;
    }

    private static Position At(ulong term, ulong index) => new(new Term(term), new LogIndex(index));
}
