using Polygraph.Node.Reseeding;
using Polygraph.Protocol;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Tests.Reseeding;

/// <summary>How many copies a replica may be given, and what is said when there are no more.</summary>
public sealed class ReseedAttemptsTests
{
    private const int NoSpace = 28;

    private static readonly Instant Began = new(1);

    [Fact]
    public void Only_copies_that_were_fetched_count()
    {
        var attempts = new ReseedAttempts();
        for (var i = 0; i < 100; i++)
        {
            attempts.Note(Began, fetched: false, new SnapshotUnavailableException("n2 gives 2 snapshots away already"));
            attempts.Note(Began, fetched: true, new IOException("No space left on device", NoSpace));
        }

        Assert.False(attempts.AreSpent(Began));
        for (var i = 0; i < ReseedAttempts.Max; i++)
        {
            Assert.False(attempts.AreSpent(Began));
            attempts.Note(Began, fetched: true, i % 2 == 0 ? null : new SnapshotRefusedException("a row differs"));
        }

        Assert.True(attempts.AreSpent(Began));
    }

    [Fact]
    public void An_hour_after_the_first_one_more_may_be_fetched()
    {
        var attempts = new ReseedAttempts();
        for (var i = 0; i < ReseedAttempts.Max; i++)
            attempts.Note(Began + TimeSpan.FromMinutes(i), fetched: true, failure: null);
        Assert.True(attempts.AreSpent(Began + ReseedAttempts.Within));
        var later = Began + ReseedAttempts.Within + TimeSpan.FromSeconds(1);
        Assert.False(attempts.AreSpent(later));
        attempts.Note(later, fetched: true, failure: null);
        Assert.True(attempts.AreSpent(later));
    }

    [Fact]
    public void The_advice_fits_what_happened()
    {
        Assert.Contains("disk and memory", Advice(null), StringComparison.Ordinal);
        Assert.Contains("a row differs. Look at the nodes that gave", Advice(new SnapshotRefusedException("a row differs")), StringComparison.Ordinal);
        Assert.Contains("it broke. Look at the network", Advice(new SnapshotUnavailableException("it broke.")), StringComparison.Ordinal);
        Assert.Contains("denied. Look at this node's disk", Advice(new UnauthorizedAccessException("denied")), StringComparison.Ordinal);

        static string Advice(Exception? failure)
        {
            var attempts = new ReseedAttempts();
            attempts.Note(Began, fetched: true, failure);
            return attempts.Describe();
        }
    }
}
