using System.Text.RegularExpressions;
using Polygraph.Tidy.Tests.Reading;

namespace Polygraph.Tidy.Tests.Rules;

/// <summary>Words that say that something is unfinished, is named after nothing, or happens by luck.</summary>
internal static partial class WordRules
{
    /// <summary>Marks of unfinished work, in code and comments alike.</summary>
    public static IEnumerable<Finding> ForgottenMarkers(SourceFile file)
        => Find(file, file.Text, Marker(), "marks unfinished work: finish it, or say in docs/limits.md that it is missing");

    /// <summary>Only the command line has a terminal; everything else logs, or returns what it found.</summary>
    public static IEnumerable<Finding> ConsoleOutput(SourceFile file)
        => Find(file, file.Code, Terminal(), "writes to a terminal that only Polygraph.Cli has: log it with [LoggerMessage], or return it");

    /// <summary>A test that waits a while instead of for an event is slow on a fast machine and fails on a slow one.</summary>
    public static IEnumerable<Finding> Sleeps(SourceFile file)
        => Find(file, file.Code, Sleep(), "waits for time to pass: await the event, with a limit that says what was awaited");

    /// <summary>Names that could be anything's.</summary>
    public static IEnumerable<Finding> EmptyNames(SourceFile file)
        => Find(file, file.Code, EmptyName(), "is named after nothing: say what it is or does");

    /// <summary>Paths of the machine on which something was written.</summary>
    public static IEnumerable<Finding> MachinePaths(SourceFile file)
        => Find(file, file.Text, MachinePath(), "is a path of somebody's machine");

    private static IEnumerable<Finding> Find(SourceFile file, string text, Regex pattern, string why)
        => pattern.Matches(text).Select(match => file.Found(match.Index, $"\"{match.Value.Trim()}\" {why}"));

    [GeneratedRegex(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK|XX" + @"X)\b|\bNotImplemented" + @"Exception\b")]
    private static partial Regex Marker();

    [GeneratedRegex(@"\bConsole\s*\.\s*(Write|WriteLine|Error|Out)\b")]
    private static partial Regex Terminal();

    [GeneratedRegex(@"\bThread\s*\.\s*Sleep\b|\bTask\s*\.\s*Delay\b|\bSpinUntil\b")]
    private static partial Regex Sleep();

    [GeneratedRegex(
        @"\b(?:class|struct|interface|enum|record)\s+(?:class\s+|struct\s+)?(?:\w*?(?:Managers?|Helpers?|Util(?:s|ity|ities)?)(?![a-z])\w*|\w*Data)\b")]
    private static partial Regex EmptyName();

    [GeneratedRegex(@"(?<![\w./~-])/(?:ho" + @"me|ro" + @"ot|Us" + @"ers|wo" + @"rk|tmp/w" + @"t)/|\b[A-Z]:\\Us" + @"ers\\")]
    private static partial Regex MachinePath();
}
