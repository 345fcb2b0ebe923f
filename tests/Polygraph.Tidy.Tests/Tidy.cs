using Polygraph.Tidy.Tests.Reading;

namespace Polygraph.Tidy.Tests;

/// <summary>How a tidy test says what it found.</summary>
internal static class Tidy
{
    public static void NothingFound(IEnumerable<Finding> findings)
    {
        var found = findings.Select(finding => finding.ToString()).ToList();
        Assert.True(found.Count == 0, $"{found.Count} found:\n{string.Join('\n', found)}");
    }

    /// <summary>A file that exists only in a test of a rule.</summary>
    public static SourceFile Sample(string text, string path = "src/Polygraph.Sample/Sample.cs") => new(path, text);
}
