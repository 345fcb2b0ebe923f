using Polygraph.Tidy.Tests.Reading;

namespace Polygraph.Tidy.Tests.Rules;

/// <summary>Files that fit one to three screens, methods that fit one.</summary>
internal static class SizeRules
{
    /// <summary>Ten screens of fifty lines: beyond that nobody has the whole file in mind.</summary>
    public const int FileLinesMax = 500;

    /// <summary>Files longer than this are listed, so that they are split before they must be.</summary>
    public const int FileLinesNoted = 250;

    /// <summary>One tall screen.</summary>
    public const int MemberLinesMax = 70;

    public static IEnumerable<Finding> LongFiles(SourceFile file, int linesMax)
    {
        if (file.LineCount > linesMax)
            yield return new Finding(file.Path, linesMax + 1, $"the file has {file.LineCount} lines, {linesMax} are the limit: split it by what it does");
    }

    public static IEnumerable<Finding> LongMembers(SourceFile file)
        => Members.Of(file)
            .Where(member => member.Lines > MemberLinesMax)
            .Select(member => new Finding(
                file.Path, member.Line, $"{member.Name} has {member.Lines} lines, {MemberLinesMax} are the limit: give its steps names"));
}
