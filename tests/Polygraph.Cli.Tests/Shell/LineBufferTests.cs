using Polygraph.Cli.Shell;

namespace Polygraph.Cli.Tests.Shell;

public sealed class LineBufferTests
{
    [Fact]
    public void Typing_goes_in_at_the_cursor()
    {
        var line = Typed("slect");
        line.MoveToStart();
        line.MoveRight();
        line.Insert('e');

        Assert.Equal(("select", 2), (line.Text, line.Cursor));
    }

    [Fact]
    public void Words_are_passed_and_deleted_whole()
    {
        var line = Typed("select  name from t");
        line.MoveWordLeft();
        line.MoveWordLeft();
        Assert.Equal("select  name ".Length, line.Cursor);

        line.DeleteWordLeft();
        Assert.Equal("select  from t", line.Text);

        line.MoveWordRight();
        Assert.Equal("select  from".Length, line.Cursor);
    }

    [Fact]
    public void Everything_before_or_behind_the_cursor_can_go()
    {
        var line = Typed("select 1");
        line.MoveWordLeft();
        line.DeleteToEnd();
        Assert.Equal("select ", line.Text);

        line.DeleteToStart();
        Assert.Equal(("", 0), (line.Text, line.Cursor));
    }

    [Fact]
    public void A_character_of_two_code_units_is_never_cut_in_half()
    {
        var line = Typed("a😀b");
        line.MoveLeft();
        line.DeleteLeft();
        Assert.Equal(("ab", 1), (line.Text, line.Cursor));

        line = Typed("a😀b");
        line.MoveToStart();
        line.MoveRight();
        line.MoveRight();
        Assert.Equal(3, line.Cursor);
        line.MoveLeft();
        line.DeleteRight();
        Assert.Equal("ab", line.Text);
    }

    [Fact]
    public void Nothing_happens_past_either_end()
    {
        var line = Typed("x");
        line.MoveRight();
        line.DeleteRight();
        line.MoveToStart();
        line.MoveLeft();
        line.DeleteLeft();
        line.MoveWordLeft();

        Assert.Equal(("x", 0), (line.Text, line.Cursor));
    }

    private static LineBuffer Typed(string text)
    {
        var line = new LineBuffer();
        foreach (var character in text)
            line.Insert(character);
        return line;
    }
}
