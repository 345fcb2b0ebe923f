using Polygraph.Protocol;
using Polygraph.Storage.Log;

namespace Polygraph.Storage.Tests.Log;

public sealed class CutTests
{
    public static TheoryData<int> EveryIndex => [.. Enumerable.Range(1, 41)];

    [Theory]
    [MemberData(nameof(EveryIndex))]
    public void A_cut_at_any_entry_leaves_those_before_it_and_saves_the_others(int at)
    {
        var from = (ulong)at;
        var fixture = new LogFixture(LogFixture.SmallSegments);
        LogEntry[] entries = [.. LogFixture.Entries(1, 1, 15), .. LogFixture.Entries(2, 16, 25)];
        fixture.AppendDurably(entries);

        fixture.CutFrom(from, "because");
        var newer = LogFixture.Entries(3, from, 4);
        fixture.AppendDurably(newer);
        LogFixture.AssertSame([.. entries.Take(at - 1), .. newer], fixture.ReadAll());
        fixture.Reopen();

        LogFixture.AssertSame([.. entries.Take(at - 1), .. newer], fixture.ReadAll());
        var saved = CutFile.List(fixture.Disk, LogFixture.Directory);
        if (at == 41)
        {
            Assert.Empty(saved);
            return;
        }

        var contents = CutFile.Read(fixture.Disk, Assert.Single(saved).Path);
        Assert.Equal((LogFixture.Group, "because"), (contents.Group, contents.Reason));
        LogFixture.AssertSame([.. entries.Skip(at - 1)], contents.Entries);
    }

    [Fact]
    public void A_cut_of_a_log_that_lost_its_beginning_may_reach_its_first_entry_and_no_further()
    {
        var fixture = new LogFixture(LogFixture.SmallSegments);
        fixture.AppendDurably(LogFixture.Entries(3, 1, 40));
        fixture.Log.DropBefore(new LogIndex(25));
        var first = fixture.Log.First;

        fixture.CutFrom(first.Value);
        fixture.Reopen();
        Assert.Equal(new Position(new Term(3), first.Previous), fixture.Log.Last);
        Assert.Equal(first, fixture.Log.First);

        fixture.AppendDurably(LogFixture.Entry(4, first.Value));
        Assert.Throws<InvariantViolationException>(() => fixture.Log.CutFrom(first.Previous, "too far"));
    }

    [Fact]
    public void A_file_of_cut_entries_without_its_end_is_refused()
    {
        var fixture = new LogFixture();
        fixture.AppendDurably(LogFixture.Entries(1, 1, 5));
        fixture.CutFrom(2);
        var path = CutFile.List(fixture.Disk, LogFixture.Directory)[0].Path;
        using (var file = fixture.Disk.Open(path, Storage.Files.FileOpening.Existing))
            file.SetLength(file.Length - 28);

        Assert.Throws<LogCorruptedException>(() => CutFile.Read(fixture.Disk, path));
    }

    [Fact]
    public void Names_that_are_not_of_cut_files_are_not_listed()
    {
        var fixture = new LogFixture();
        foreach (var name in new[] { "readme", "1-2.cut", "x-y-z.cut", "1-2-3.cut.tmp" })
            fixture.Disk.Open(Path.Combine(LogFixture.Directory, CutFile.DirectoryName, name), Storage.Files.FileOpening.New).Dispose();

        Assert.Empty(CutFile.List(fixture.Disk, LogFixture.Directory));
    }

    [Fact]
    public void Random_appends_cuts_drops_and_reopenings_agree_with_a_list()
    {
        for (var seed = 0; seed < 30; seed++)
            AgreesWithAList(new Random(seed), $"seed {seed}");
    }

    private static void AgreesWithAList(Random random, string which)
    {
        var fixture = new LogFixture(LogFixture.SmallSegments with { TailBytesMax = random.Next(3) * 1500 });
        var model = new List<LogEntry>();
        var dropped = 0;
        var term = 1ul;
        for (var step = 0; step < 60; step++)
        {
            switch (random.Next(10))
            {
                case < 5:
                    var entries = LogFixture.Entries(term, (ulong)(dropped + model.Count) + 1, random.Next(1, 6), random.Next(300));
                    fixture.AppendDurably(entries);
                    model.AddRange(entries);
                    break;
                case < 7 when model.Count > 0:
                    var kept = random.Next(model.Count);
                    fixture.CutFrom((ulong)(dropped + kept) + 1);
                    model.RemoveRange(kept, model.Count - kept);
                    term++; // Entries that follow are other ones: the same position is the same entry.
                    break;
                case 7 when model.Count > 0:
                    fixture.Log.DropBefore(new LogIndex((ulong)(dropped + random.Next(model.Count)) + 1));
                    var gone = (int)(fixture.Log.First.Value - 1) - dropped;
                    model.RemoveRange(0, gone);
                    dropped += gone;
                    break;
                case 8:
                    fixture.LosePower(random);
                    break;
                default:
                    fixture.Reopen();
                    break;
            }

            LogFixture.AssertSame(model, fixture.ReadAll());
            Assert.True((ulong)(dropped + model.Count) == fixture.Log.Last.Index.Value, which);
            Assert.All(model, entry => Assert.Equal(entry.Position.Term, fixture.Log.Terms.TermAt(entry.Position.Index)));
        }
    }
}
