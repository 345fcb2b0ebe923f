using Polygraph.Cli.Shell;

namespace Polygraph.Cli.Tests.Shell;

public sealed class HistoryTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-history-").FullName;

    private string PathOfFile => Path.Combine(_directory, "below", "sql_history");

    [Fact]
    public void Goes_back_and_forth_and_keeps_what_was_being_typed()
    {
        var history = History.Open(PathOfFile);
        history.Add("one");
        history.Add("two");

        Assert.Equal("two", history.Older("half ty"));
        Assert.Equal("one", history.Older("two"));
        Assert.Null(history.Older("one"));
        Assert.Equal("two", history.Newer());
        Assert.Equal("half ty", history.Newer());
        Assert.Null(history.Newer());
    }

    [Fact]
    public void Keeps_neither_blank_lines_nor_repetitions()
    {
        var history = History.Open(PathOfFile);
        history.Add("one");
        history.Add("one");
        history.Add("  ");

        Assert.Equal("one", history.Older(""));
        Assert.Null(history.Older(""));
    }

    [Fact]
    public void The_next_session_finds_the_newest_lines_in_a_file_that_only_the_user_reads()
    {
        var history = History.Open(PathOfFile);
        for (var line = 0; line < 1_500; line++)
            history.Add($"select {line};");
        history.Save();

        Assert.Equal(1_000, File.ReadLines(PathOfFile).Count());
        Assert.Equal("select 1499;", History.Open(PathOfFile).Older(""));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOfFile));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
