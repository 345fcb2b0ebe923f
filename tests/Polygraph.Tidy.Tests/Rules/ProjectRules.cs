using System.Text.RegularExpressions;
using System.Xml.Linq;
using Polygraph.Tidy.Tests.Reading;

namespace Polygraph.Tidy.Tests.Rules;

/// <summary>What a project may know of others, and what each must have.</summary>
internal static partial class ProjectRules
{
    /// <summary>The arrows of ARCHITECTURE.md. A project that is not in here has no arrows at all.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Polygraph.Protocol"] = [],
        ["Polygraph.Wire"] = ["Polygraph.Protocol"],
        ["Polygraph.Storage"] = ["Polygraph.Wire"],
        ["Polygraph.Transport"] = ["Polygraph.Wire"],
        ["Polygraph.Node"] = ["Polygraph.Storage", "Polygraph.Transport"],
        ["Polygraph.Cli"] = ["Polygraph.Node"],
        ["Polygraph.Simulation"] = ["Polygraph.Protocol"],
        ["Polygraph.SqlFuzz"] = ["Polygraph.Storage"],
        ["Polygraph.CrashTest"] = ["Polygraph.Storage"],
        ["Polygraph.Fuzz"] = ["Polygraph.Node", "Polygraph.Checkers"],
        ["Polygraph.RealEngine"] = ["Polygraph.Simulation", "Polygraph.CrashTest", "Polygraph.Storage"],
        ["Polygraph.PlantedBugs"] =
        [
            "Polygraph.Protocol", "Polygraph.Wire", "Polygraph.Storage", "Polygraph.Simulation", "Polygraph.RealEngine", "Polygraph.CrashTest",
        ],
        // What judges the product shares no code with it.
        ["Polygraph.Checkers"] = [],
        ["Polygraph.Nemesis"] = ["Polygraph.Cli", "Polygraph.Checkers"],
    };

    /// <summary>References of a project under src/ or sim/ that point outward or sideways.</summary>
    public static IEnumerable<Finding> ForbiddenArrows(SourceFile project)
    {
        var name = NameOf(project.Path);
        var allowed = Arrows.GetValueOrDefault(name, []);
        foreach (var reference in Included(project, "ProjectReference").Select(NameOf))
            if (!allowed.Contains(reference))
                yield return new Finding(project.Path, 1, $"{name} may not reference {reference}: arrows point inward, see ARCHITECTURE.md");
    }

    /// <summary>Packages that the core would ship with. It needs none; analyzers do not ship.</summary>
    public static IEnumerable<Finding> CorePackages(SourceFile project)
        => XDocument.Parse(project.Text).Descendants("PackageReference")
            .Where(package => package.Attribute("PrivateAssets")?.Value != "all")
            .Select(package => new Finding(project.Path, 1, $"the core references nothing, not even {package.Attribute("Include")?.Value}"))
            .Concat(Included(project, "FrameworkReference").Select(framework => new Finding(project.Path, 1, $"the core references nothing, not even {framework}")));

    /// <summary>Projects that a build or a restore in locked mode would not see.</summary>
    public static IEnumerable<Finding> Unlisted(SourceFile project, string solution, Func<string, bool> hasFile)
    {
        if (!solution.Contains($"\"{project.Path}\"", StringComparison.Ordinal))
            yield return new Finding(project.Path, 1, "the project is not in Polygraph.slnx, so nothing builds or tests it");
        var lockFile = project.Path[..project.Path.LastIndexOf('/')] + "/packages.lock.json";
        if (!hasFile(lockFile))
            yield return new Finding(project.Path, 1, $"{lockFile} is missing: restore once without --locked-mode and commit it");
    }

    /// <summary>Event ids that stand for two different messages of one project.</summary>
    public static IEnumerable<Finding> SharedEventIds(IEnumerable<SourceFile> filesOfOneProject)
        => filesOfOneProject
            .SelectMany(file => EventId().Matches(file.Text).Select(match => (Id: match.Groups[1].Value, Where: file.Found(match.Index, $"event id {match.Groups[1].Value}"))))
            .GroupBy(named => named.Id)
            .Where(same => same.Count() > 1)
            .SelectMany(same => same.Skip(1).Select(second => second.Where with { What = $"{second.Where.What} is taken by {same.First().Where.Path}" }));

    private static IEnumerable<string> Included(SourceFile project, string element)
        => XDocument.Parse(project.Text).Descendants(element).Select(item => item.Attribute("Include")?.Value ?? "");

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'));

    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d+)")]
    private static partial Regex EventId();
}
