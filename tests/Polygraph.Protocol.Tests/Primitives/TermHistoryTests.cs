namespace Polygraph.Protocol.Tests.Primitives;

public class TermHistoryTests
{
    private static Position At(ulong term, ulong index) => new(new Term(term), new LogIndex(index));

    [Fact]
    public void Each_entry_has_the_term_of_the_latest_start_before_it()
    {
        var history = TermHistory.FromStarts([At(1, 1), At(4, 10), At(6, 11)]);

        Assert.Equal(Term.Zero, history.TermAt(new LogIndex(0)));
        Assert.Equal(new Term(1), history.TermAt(new LogIndex(9)));
        Assert.Equal(new Term(4), history.TermAt(new LogIndex(10)));
        Assert.Equal(new Term(6), history.TermAt(new LogIndex(99)));
        Assert.Equal(new LogIndex(10), history.StartOfTermAt(new LogIndex(10)));
    }

    [Fact]
    public void Entries_of_the_same_term_add_no_row()
    {
        var history = TermHistory.Empty.Append(At(2, 1)).Append(At(2, 2)).Append(At(2, 3));

        Assert.Single(history.Starts);
    }

    [Fact]
    public void A_cut_forgets_the_terms_that_began_after_it()
    {
        var history = TermHistory.FromStarts([At(1, 1), At(4, 10), At(6, 20)]);

        Assert.Equal([At(1, 1), At(4, 10)], history.CutFrom(new LogIndex(20)).Starts);
        Assert.Equal([At(1, 1)], history.CutFrom(new LogIndex(10)).Starts);
        Assert.Equal([At(1, 1), At(4, 10), At(6, 20)], history.CutFrom(new LogIndex(21)).Starts);
        Assert.Empty(history.CutFrom(new LogIndex(1)).Starts);
    }

    // Against the plain model: a list with the term of every entry.
    [Fact]
    public void Appending_and_cutting_agree_with_a_list_of_terms()
    {
        var random = new SeededRandom(7);
        var history = TermHistory.Empty;
        var model = new List<ulong>();
        for (var step = 0; step < 2_000; step++)
        {
            if (random.Next() % 10 == 0 && model.Count > 0)
            {
                var from = (int)(random.Next() % (ulong)model.Count);
                model.RemoveRange(from, model.Count - from);
                history = history.CutFrom(new LogIndex((ulong)from + 1));
            }
            else
            {
                var term = (model.Count == 0 ? 1 : model[^1]) + (random.Next() % 4 == 0 ? 1UL : 0UL);
                model.Add(term);
                history = history.Append(At(term, (ulong)model.Count));
            }

            for (var i = 0; i < model.Count; i++)
                Assert.Equal(model[i], history.TermAt(new LogIndex((ulong)i + 1)).Value);
        }
    }

    [Fact]
    public void A_term_that_goes_back_is_a_broken_invariant()
        => Assert.Throws<InvariantViolationException>(() => TermHistory.Empty.Append(At(2, 1)).Append(At(1, 2)));
}
