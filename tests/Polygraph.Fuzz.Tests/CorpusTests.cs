using Polygraph.Fuzz.Formats;
using Polygraph.Fuzz.Running;

namespace Polygraph.Fuzz.Tests;

/// <summary>
/// Inputs that once showed a bug, each in a file <c>FORMAT.WHAT.hex</c>: why it is there behind a <c>#</c>, then its bytes. None may show it again.
/// </summary>
public sealed class CorpusTests
{
    private static string Directory => Path.Combine(AppContext.BaseDirectory, "Corpus");

    public static TheoryData<string> Finds => [.. System.IO.Directory.GetFiles(Directory, "*.hex").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Finds))]
    public void What_was_found_once_is_read_or_refused_as_it_must_be(string find)
    {
        var format = AllFormats.Find(find[..find.IndexOf('.', StringComparison.Ordinal)]);
        Assert.NotNull(format);
        var lines = File.ReadAllLines(Path.Combine(Directory, find + ".hex"));
        Assert.StartsWith("# ", lines[0], StringComparison.Ordinal);
        var input = Convert.FromHexString(string.Concat(lines.Skip(1)));
        Trial.Run(format, input, checksAccepted: true); // What is made once, at the first call, is not the input's.

        Assert.Null(Trial.Run(format, input, checksAccepted: true).Complaint);
    }
}
