using Polygraph.Tidy.Tests.Reading;
using Polygraph.Tidy.Tests.Rules;

namespace Polygraph.Tidy.Tests;

public sealed class WordTests
{
    /// <summary>Where a test may wait for time to pass, and why. Everything else awaits an event.</summary>
    private static readonly Dictionary<string, string> SleepsAllowed = new()
    {
    };

    [Fact]
    public void No_unfinished_work_is_marked_in_the_sources()
        => Tidy.NothingFound(Repository.Code("src", "sim", "tests").SelectMany(WordRules.ForgottenMarkers));

    [Fact]
    public void Only_the_command_line_writes_to_a_terminal()
        => Tidy.NothingFound(Repository.Code("src").Where(file => file.Project != "Polygraph.Cli").SelectMany(WordRules.ConsoleOutput));

    [Fact]
    public void Tests_await_events_and_never_sleep()
        => Tidy.NothingFound(Repository.Code("tests").Where(file => !SleepsAllowed.ContainsKey(file.Path)).SelectMany(WordRules.Sleeps));

    [Fact]
    public void Every_exception_for_sleeping_is_still_needed()
        => Assert.All(
            SleepsAllowed.Keys,
            path => Assert.NotEmpty(Repository.Code("tests").Where(file => file.Path == path).SelectMany(WordRules.Sleeps)));

    [Fact]
    public void Types_are_named_after_something()
        => Tidy.NothingFound(Repository.Code("src", "sim", "tests").SelectMany(WordRules.EmptyNames));

    [Fact]
    public void Nothing_names_the_machine_it_was_written_on()
        => Tidy.NothingFound(Repository.Files.SelectMany(WordRules.MachinePaths));

    [Theory]
    [InlineData("// TO" + "DO: later")]
    [InlineData("/* FIX" + "ME */")]
    [InlineData("int x = 1; // HA" + "CK")]
    [InlineData("throw new NotImplemented" + "Exception();")]
    public void A_mark_of_unfinished_work_is_found(string code) => Assert.Single(WordRules.ForgottenMarkers(Tidy.Sample(code)));

    [Theory]
    [InlineData("// a to-do list of the user")]
    [InlineData("var hacking = 1;")]
    public void Other_words_are_no_marks(string code) => Assert.Empty(WordRules.ForgottenMarkers(Tidy.Sample(code)));

    [Theory]
    [InlineData("Console.WriteLine(\"x\");")]
    [InlineData("await Console.Error.FlushAsync();")]
    public void Output_to_a_terminal_is_found(string code) => Assert.Single(WordRules.ConsoleOutput(Tidy.Sample(code)));

    [Theory]
    [InlineData("// Console.WriteLine is not for us")]
    [InlineData("var x = \"Console.WriteLine\";")]
    [InlineData("builder.AddSimpleConsole();")]
    public void Talk_of_a_terminal_is_not_output(string code) => Assert.Empty(WordRules.ConsoleOutput(Tidy.Sample(code)));

    [Theory]
    [InlineData("Thread.Sl" + "eep(10);")]
    [InlineData("await Task.De" + "lay(TimeSpan.FromSeconds(1));")]
    [InlineData("await Task\n    .Delay(1);")]
    [InlineData("SpinWait.SpinUntil(() => done);")]
    public void A_sleep_is_found(string code) => Assert.Single(WordRules.Sleeps(Tidy.Sample(code, "tests/Polygraph.Sample.Tests/Sample.cs")));

    [Theory]
    [InlineData("internal sealed class ConnectionManager")]
    [InlineData("public static class PathHelpers { }")]
    [InlineData("public readonly record struct RowData(int X);")]
    [InlineData("static class StringUtil;")]
    [InlineData("interface IStateManager")]
    public void A_name_after_nothing_is_found(string code) => Assert.Single(WordRules.EmptyNames(Tidy.Sample(code)));

    [Theory]
    [InlineData("class DataDirectory { }")]
    [InlineData("record Management;")]
    [InlineData("// the class FileHelper was split")]
    [InlineData("struct Utilization;")]
    public void A_name_that_says_something_is_none(string code) => Assert.Empty(WordRules.EmptyNames(Tidy.Sample(code)));

    [Theory]
    [InlineData("see /ho" + "me/somebody/notes.txt")]
    [InlineData("\"/ro" + "ot/.nuget\"")]
    [InlineData("/tmp/w" + "t/a/b.cs")]
    [InlineData(@"C:\Us" + @"ers\somebody")]
    public void A_path_of_a_machine_is_found(string text) => Assert.Single(WordRules.MachinePaths(Tidy.Sample(text, "docs/sample.md")));

    [Theory]
    [InlineData("src/Users/Model.cs")]
    [InlineData("https://example.org/home/page")]
    [InlineData("read /work-in-progress")]
    public void Other_paths_are_none(string text) => Assert.Empty(WordRules.MachinePaths(Tidy.Sample(text, "docs/sample.md")));
}
