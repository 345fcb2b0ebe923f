namespace Polygraph.Tidy.Tests.Reading;

/// <summary>The files of this repository as they lie in the working tree: what builds and tools leave behind is not among them.</summary>
internal static class Repository
{
    private static readonly HashSet<string> NotOurs =
        new(["bin", "obj", ".git", "node_modules", "TestResults", ".polygraph", ".vs", ".idea"], StringComparer.Ordinal);

    private static readonly Lazy<IReadOnlyList<SourceFile>> All = new(ReadAll);

    /// <summary>Where <c>Polygraph.slnx</c> lies.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Every text file.</summary>
    public static IReadOnlyList<SourceFile> Files => All.Value;

    /// <summary>The C# files under one of <paramref name="folders"/>.</summary>
    public static IEnumerable<SourceFile> Code(params string[] folders)
        => Files.Where(file => file.Path.EndsWith(".cs", StringComparison.Ordinal) && folders.Any(folder => file.IsUnder(folder)));

    public static bool HasFile(string path) => File.Exists(Path.Combine(Root, path));

    public static bool HasFolder(string path) => Directory.Exists(Path.Combine(Root, path));

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Polygraph.slnx")))
            directory = directory.Parent;
        return directory?.FullName
            ?? throw new InvalidOperationException($"Polygraph.slnx lies in no directory above {AppContext.BaseDirectory}: run the tests from a checkout.");
    }

    private static List<SourceFile> ReadAll()
    {
        var files = new List<SourceFile>();
        Walk(new DirectoryInfo(Root), files);
        return files;
    }

    private static void Walk(DirectoryInfo directory, List<SourceFile> files)
    {
        foreach (var file in directory.EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            if (NotOurs.Contains(file.Name))
                continue;
            var text = File.ReadAllText(file.FullName);

            // A NUL byte is what tells a binary file from a text.
            if (!text.Contains('\0', StringComparison.Ordinal))
                files.Add(new SourceFile(Path.GetRelativePath(Root, file.FullName).Replace('\\', '/'), text));
        }

        foreach (var child in directory.EnumerateDirectories().OrderBy(child => child.Name, StringComparer.Ordinal))
            if (!NotOurs.Contains(child.Name))
                Walk(child, files);
    }
}
