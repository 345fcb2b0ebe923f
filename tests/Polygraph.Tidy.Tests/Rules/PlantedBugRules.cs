using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using Polygraph.Tidy.Tests.Reading;

namespace Polygraph.Tidy.Tests.Rules;

/// <summary>Mistakes that are planted on purpose: where they may stand, and that what is built for everybody holds none.</summary>
internal static partial class PlantedBugRules
{
    /// <summary>The constant that only a build with <c>PlantedBugs=true</c> defines.</summary>
    private const string Constant = "POLYGRAPH_PLANTED_" + "BUGS";

    /// <summary>The names of the mistakes that production code has a line for.</summary>
    public static IEnumerable<(string Name, Finding Place)> Planted(SourceFile file)
        => Line().Matches(file.Text).Select(match => (match.Groups[1].Value, file.Found(match.Index, match.Groups[1].Value)));

    /// <summary>The names that the catalogue describes.</summary>
    public static IEnumerable<string> Described(SourceFile catalogue)
        => Description().Matches(catalogue.Text).Select(match => match.Groups[1].Value);

    /// <summary>Files of the product that look at the constant without being wholly under it.</summary>
    public static IEnumerable<Finding> Conditional(SourceFile file)
    {
        var isWhollyUnderIt = file.Text.StartsWith($"#if {Constant}\n", StringComparison.Ordinal) && file.Text.TrimEnd().EndsWith("#endif", StringComparison.Ordinal);
        if (file.Text.Contains(Constant, StringComparison.Ordinal) && !isWhollyUnderIt)
            yield return new Finding(file.Path, 1, $"only a file that is wholly under {Constant} may look at it: a planted mistake is one call of a partial method");
    }

    /// <summary>What of planted mistakes a built assembly holds: their types, their methods, their names.</summary>
    public static IEnumerable<string> TracesIn(string assembly, IReadOnlySet<string> names)
    {
        using var image = new PEReader(File.OpenRead(assembly));
        var metadata = image.GetMetadataReader();
        foreach (var type in metadata.TypeDefinitions.Select(metadata.GetTypeDefinition))
            if (metadata.GetString(type.Name) is "BugSwitch" or "PlantedBugs")
                yield return $"type {metadata.GetString(type.Name)}";
        foreach (var method in metadata.MethodDefinitions.Select(metadata.GetMethodDefinition))
            if (metadata.GetString(method.Name) is var name && name.StartsWith("Plant", StringComparison.Ordinal))
                yield return $"method {name}";
        for (var text = metadata.GetNextHandle(MetadataTokens.UserStringHandle(0)); !text.IsNil; text = metadata.GetNextHandle(text))
            if (names.Contains(metadata.GetUserString(text)))
                yield return $"text {metadata.GetUserString(text)}";
    }

    [GeneratedRegex("""\bPlant\w*\("(\w+)",""")]
    private static partial Regex Line();

    [GeneratedRegex("""^\s+\("(\w+)", ?["$]""", RegexOptions.Multiline)]
    private static partial Regex Description();
}
