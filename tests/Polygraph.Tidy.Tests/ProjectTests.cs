using Polygraph.Tidy.Tests.Reading;
using Polygraph.Tidy.Tests.Rules;

namespace Polygraph.Tidy.Tests;

public sealed class ProjectTests
{
    private const string Core = "src/Polygraph.Protocol/Polygraph.Protocol.csproj";

    private static IEnumerable<SourceFile> Projects => Repository.Files.Where(file => file.Path.EndsWith(".csproj", StringComparison.Ordinal));

    private static SourceFile Solution => Repository.Files.Single(file => file.Path == "Polygraph.slnx");

    [Fact]
    public void Arrows_between_projects_point_inward()
        => Tidy.NothingFound(Projects.Where(project => project.IsUnder("src") || project.IsUnder("sim")).SelectMany(ProjectRules.ForbiddenArrows));

    [Fact]
    public void The_core_references_nothing()
        => Tidy.NothingFound(ProjectRules.CorePackages(Projects.Single(project => project.Path == Core)));

    [Fact]
    public void Every_project_is_built_tested_and_locked()
        => Tidy.NothingFound(Projects.SelectMany(project => ProjectRules.Unlisted(project, Solution.Text, Repository.HasFile)));

    [Fact]
    public void An_event_id_stands_for_one_message_of_a_project()
        => Tidy.NothingFound(Repository.Code("src").GroupBy(file => file.Project).SelectMany(ProjectRules.SharedEventIds));

    [Theory]
    [InlineData("src/Polygraph.Protocol/Polygraph.Protocol.csproj", "../Polygraph.Wire/Polygraph.Wire.csproj")]
    [InlineData("src/Polygraph.Storage/Polygraph.Storage.csproj", "../Polygraph.Transport/Polygraph.Transport.csproj")]
    [InlineData("src/Polygraph.Wire/Polygraph.Wire.csproj", "..\\Polygraph.Node\\Polygraph.Node.csproj")]
    [InlineData("src/Polygraph.Newcomer/Polygraph.Newcomer.csproj", "../Polygraph.Cli/Polygraph.Cli.csproj")]
    public void An_arrow_that_points_outward_is_found(string path, string reference)
        => Assert.Single(ProjectRules.ForbiddenArrows(Tidy.Sample($"""<Project><ItemGroup><ProjectReference Include="{reference}" /></ItemGroup></Project>""", path)));

    [Theory]
    [InlineData("""<PackageReference Include="Newtonsoft.Json" />""", 1)]
    [InlineData("""<FrameworkReference Include="Microsoft.AspNetCore.App" />""", 1)]
    [InlineData("""<PackageReference Include="Some.Analyzers" PrivateAssets="all" />""", 0)]
    public void A_package_in_the_core_is_found(string reference, int found)
        => Assert.Equal(found, ProjectRules.CorePackages(Tidy.Sample($"<Project><ItemGroup>{reference}</ItemGroup></Project>", Core)).Count());

    [Fact]
    public void A_project_that_no_build_sees_is_found()
    {
        var project = Tidy.Sample("<Project />", "src/Polygraph.New/Polygraph.New.csproj");
        const string listing = """<Project Path="src/Polygraph.New/Polygraph.New.csproj" />""";

        Assert.Empty(ProjectRules.Unlisted(project, listing, path => path == "src/Polygraph.New/packages.lock.json"));
        Assert.Single(ProjectRules.Unlisted(project, "", _ => true));
        Assert.Single(ProjectRules.Unlisted(project, listing, _ => false));
    }

    [Fact]
    public void An_event_id_used_twice_is_found()
    {
        var first = Tidy.Sample("[LoggerMessage(7, LogLevel.Error, \"a\")]\n[LoggerMessage(8, LogLevel.Error, \"b\")]", "src/Polygraph.A/One.cs");
        var second = Tidy.Sample("\n[LoggerMessage(\n    EventId = 7, Level = LogLevel.Error)]", "src/Polygraph.A/Two.cs");

        Assert.Equal("src/Polygraph.A/Two.cs:2: event id 7 is taken by src/Polygraph.A/One.cs", Assert.Single(ProjectRules.SharedEventIds([first, second])).ToString());
    }
}
