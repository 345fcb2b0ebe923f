using Polygraph.Node.Groups;

namespace Polygraph.Node.Tests.Groups;

public class MailboxTests
{
    [Fact]
    public void Items_come_out_in_order_and_all_at_once()
    {
        var box = new Mailbox<int>(8);
        for (var i = 0; i < 3; i++)
            Assert.True(box.TryPost(i));
        var taken = new List<int>();

        Assert.True(box.Take(ref taken, TimeSpan.Zero));

        Assert.Equal([0, 1, 2], taken);
    }

    [Fact]
    public void A_full_box_refuses_clients_and_never_the_readers_own_answers()
    {
        var box = new Mailbox<int>(1);

        Assert.True(box.TryPost(1));
        Assert.False(box.TryPost(2));
        Assert.True(box.Post(3));
    }

    [Fact]
    public void A_closed_box_gives_what_it_has_and_then_ends()
    {
        var box = new Mailbox<int>(8);
        box.TryPost(1);
        box.Close();
        var taken = new List<int>();

        Assert.True(box.Take(ref taken, Timeout.InfiniteTimeSpan));
        taken.Clear();
        Assert.False(box.Take(ref taken, Timeout.InfiniteTimeSpan));
        Assert.False(box.Post(2));
    }

    // A reader that does not sleep burns a core without anybody noticing: seen once.
    [Fact]
    public void An_infinite_patience_sleeps()
    {
        var box = new Mailbox<int>(8);
        var returned = 0;
        var reader = new Thread(() =>
        {
            var taken = new List<int>();
            while (box.Take(ref taken, Timeout.InfiniteTimeSpan))
            {
                Interlocked.Increment(ref returned);
                taken.Clear();
            }
        });
        reader.Start();
        while (reader.ThreadState != ThreadState.WaitSleepJoin)
            Thread.Yield();

        Assert.Equal(0, Volatile.Read(ref returned));
        box.Post(1);
        while (Volatile.Read(ref returned) == 0)
            Thread.Yield();
        box.Close();
        reader.Join();
        Assert.Equal(1, returned);
    }

    [Fact]
    public void A_wake_is_not_lost()
    {
        var box = new Mailbox<int>(8);
        box.Wake();
        var taken = new List<int>();

        Assert.True(box.Take(ref taken, Timeout.InfiniteTimeSpan));
        Assert.Empty(taken);
    }
}
