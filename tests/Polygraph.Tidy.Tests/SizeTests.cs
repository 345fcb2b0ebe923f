using Polygraph.Tidy.Tests.Reading;
using Polygraph.Tidy.Tests.Rules;

namespace Polygraph.Tidy.Tests;

/// <summary>God files grow because nothing stops them; this does.</summary>
public sealed class SizeTests(ITestOutputHelper output)
{
    [Fact]
    public void Files_fit_a_few_screens()
    {
        foreach (var noted in Repository.Code("src", "sim", "tests").SelectMany(file => SizeRules.LongFiles(file, SizeRules.FileLinesNoted)))
            output.WriteLine(noted.ToString());
        Tidy.NothingFound(Repository.Code("src", "sim", "tests").SelectMany(file => SizeRules.LongFiles(file, SizeRules.FileLinesMax)));
    }

    [Fact]
    public void Members_fit_a_screen()
        => Tidy.NothingFound(Repository.Code("src", "sim").SelectMany(SizeRules.LongMembers));

    [Fact]
    public void A_file_over_the_limit_is_found()
    {
        var atLimit = Tidy.Sample(string.Concat(Enumerable.Repeat("//\n", SizeRules.FileLinesMax)));
        var overLimit = Tidy.Sample(atLimit.Text + "//\n");

        Assert.Empty(SizeRules.LongFiles(atLimit, SizeRules.FileLinesMax));
        Assert.Contains("501 lines", Assert.Single(SizeRules.LongFiles(overLimit, SizeRules.FileLinesMax)).What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("    public void Long()\n    {\n", "        Call();\n", "    }\n")]
    [InlineData("    public Foo(int x)\n        : base(x)\n    {\n", "        Call(() => { });\n", "    }\n")]
    [InlineData("    public static int Long<T>(T value)\n        where T : class\n        => value switch\n        {\n", "            { } => 1,\n", "        };\n")]
    public void A_member_over_the_limit_is_found(string head, string line, string tail)
    {
        var around = head.Count('\n') + tail.Count('\n');

        Assert.Empty(SizeRules.LongMembers(TypeWith(SizeRules.MemberLinesMax)));
        Assert.Contains($"has {SizeRules.MemberLinesMax + 1} lines", Assert.Single(SizeRules.LongMembers(TypeWith(SizeRules.MemberLinesMax + 1))).What, StringComparison.Ordinal);

        SourceFile TypeWith(int lines)
            => Tidy.Sample($"namespace X;\n\n/// <summary>A type.</summary>\npublic sealed class Foo\n{{\n    private int _x;\n\n"
                + head + string.Concat(Enumerable.Repeat(line, lines - around)) + tail + "}\n");
    }

    [Fact]
    public void Members_are_told_apart_although_strings_hold_braces()
    {
        const string text = """
            public sealed class Foo
            {
                private readonly string _open = "{ \" {" + @"{ "" {" + $"{string.Join(", ", "}")}";

                public int Size { get; init; } = 3;

                // A comment with a brace: {
                public char Close() => '}';

                public void Run()
                {
                    if (Size > 0) { Close(); }
                }

                private enum Kind { One, Two }
            }
            """;

        Assert.Equal(["_open", "Size", "Close", "Run"], Members.Of(Tidy.Sample(text)).Select(member => member.Name));
    }
}
