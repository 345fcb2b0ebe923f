using System.Text.RegularExpressions;
using Polygraph.Tidy.Tests.Reading;

namespace Polygraph.Tidy.Tests.Rules;

/// <summary>Documents name only what is there.</summary>
internal sealed partial class DocumentRules(IReadOnlyList<SourceFile> repository)
{
    private readonly HashSet<string> _paths = [.. repository.Select(file => file.Path)];
    private readonly Lazy<string> _testCode = new(() => string.Join('\n', repository.Where(file => file.IsUnder("tests") && file.Path.EndsWith(".cs", StringComparison.Ordinal)).Select(file => file.Code)));

    private readonly Lazy<string> _code = new(() => string.Join('\n', repository.Where(file => file.Path.EndsWith(".cs", StringComparison.Ordinal)).Select(file => file.Text)));

    /// <summary>Links to files and headings of this repository that lead nowhere.</summary>
    public IEnumerable<Finding> BrokenLinks(SourceFile document)
    {
        foreach (Match link in Link().Matches(WithoutCode(document.Text)))
        {
            var target = link.Groups[1].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal))
                continue;
            var parts = target.Split('#', 2);
            var path = parts[0].Length == 0 ? document.Path : Resolve(document.Path, parts[0]);
            if (!Exists(path))
                yield return document.Found(link.Index, $"the link to {target} leads to {path}, which is not there");
            else if (parts.Length == 2 && !HasHeading(path, parts[1]))
                yield return document.Found(link.Index, $"the link to {target} names a heading that {path} does not have");
        }
    }

    /// <summary>Files that are named as code, from the root of the repository, and are not there.</summary>
    public IEnumerable<Finding> MissingFiles(SourceFile document)
        => NamedPath().Matches(document.Text)
            .Where(named => !Exists(named.Groups[1].Value))
            .Select(named => document.Found(named.Index, $"{named.Groups[1].Value} is not there"));

    /// <summary>Tests that are said to guard something and do not exist.</summary>
    public IEnumerable<Finding> MissingTests(SourceFile document)
        => NamedTest().Matches(document.Text)
            .Where(named => !Declares(named.Groups[1].Value, named.Groups[2].Value))
            .Select(named => document.Found(named.Index, $"there is no test {named.Value.Trim('`')}"));

    /// <summary>Members, as <c>Type.Member</c>, that the code does not have.</summary>
    public IEnumerable<Finding> MissingMembers(SourceFile document)
        => NamedMember().Matches(document.Text)
            .Where(named => !HasMember(named.Groups[1].Value, named.Groups[2].Value))
            .Select(named => document.Found(named.Index, $"there is no {named.Value.Trim('`')}"));

    /// <summary>Lines of C# samples that stand in no source file: a sample is taken from the code, so that it cannot grow old.</summary>
    public IEnumerable<Finding> InventedSamples(SourceFile document)
    {
        foreach (Match sample in CSharpSample().Matches(document.Text))
        {
            foreach (var line in sample.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                if (!_code.Value.Contains(line, StringComparison.Ordinal))
                    yield return document.Found(sample.Index, $"no source file has the line: {line}");
        }
    }

    /// <summary>Decision records that their index does not name.</summary>
    public IEnumerable<Finding> UnlistedDecisions()
    {
        const string folder = "docs/adr";
        var index = repository.Single(file => file.Path == folder + "/README.md");
        return repository
            .Where(file => file.IsUnder(folder) && file != index && !index.Text.Contains($"({Path.GetFileName(file.Path)})", StringComparison.Ordinal))
            .Select(file => new Finding(file.Path, 1, $"the record is not in {index.Path}"));
    }

    private bool HasMember(string type, string member)
        => Regex.IsMatch(_code.Value, $@"\b(class|struct|record|interface|enum)\s+{type}\b") && Regex.IsMatch(_code.Value, $@"\b{member}\b");

    private bool Declares(string type, string method)
        => Regex.IsMatch(_testCode.Value, $@"\bclass\s+{type}\b")
            && (method.Length == 0 || Regex.IsMatch(_testCode.Value, $@"\b{method}\s*\("));

    private bool Exists(string path)
    {
        var plain = path.TrimEnd('/');
        return _paths.Contains(plain) || _paths.Any(file => file.StartsWith(plain + "/", StringComparison.Ordinal));
    }

    private bool HasHeading(string path, string anchor)
        => repository.FirstOrDefault(file => file.Path == path) is not { } target
            || !path.EndsWith(".md", StringComparison.Ordinal)
            || Heading().Matches(WithoutCode(target.Text)).Any(heading => AnchorOf(heading.Groups[1].Value) == anchor);

    // As GitHub makes them: lower case, no punctuation, hyphens for spaces.
    private static string AnchorOf(string heading)
        => NotInAnchor().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');

    private static string Resolve(string from, string target)
    {
        var parts = new List<string>(from.Split('/')[..^1]);
        foreach (var part in target.Split('/'))
        {
            if (part == ".." && parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else if (part is not ("." or ""))
                parts.Add(part);
        }

        return string.Join('/', parts);
    }

    private static string WithoutCode(string text) => Fence().Replace(text, match => BlankLines(match.Value));

    private static string BlankLines(string text) => new([.. text.Select(c => c == '\n' ? '\n' : ' ')]);

    [GeneratedRegex(@"^```.*?^```\s*$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#{1,6} (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();

    [GeneratedRegex(@"`((?:src|sim|tests|docs|eng|bench)/[\w./-]+)`")]
    private static partial Regex NamedPath();

    [GeneratedRegex(@"`(?!Polygraph\.|System\.|\w+Tests\.)([A-Z]\w+)\.([A-Z]\w+)`")]
    private static partial Regex NamedMember();

    [GeneratedRegex(@"^```csharp\n(.*?)^```\s*$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharpSample();

    [GeneratedRegex(@"`(\w+Tests)(?:\.(\w+))?`")]
    private static partial Regex NamedTest();
}
