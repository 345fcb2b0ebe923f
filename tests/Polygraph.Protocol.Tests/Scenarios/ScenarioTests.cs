using System.Runtime.CompilerServices;

namespace Polygraph.Protocol.Tests.Scenarios;

/// <summary>
/// Runs every script in this folder and compares what it prints with what the script says. With <c>POLYGRAPH_REWRITE_SCENARIOS=1</c> the
/// scripts are rewritten instead, and the difference is reviewed like any other change of behaviour.
/// </summary>
public sealed class ScenarioTests
{
    private const string RewriteVariable = "POLYGRAPH_REWRITE_SCENARIOS";

    public static TheoryData<string> Scripts() => [.. Directory.EnumerateFiles(Folder(), "*.txt").Select(path => Path.GetFileName(path)).Order()];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void AScenarioGoesAsItsScriptSays(string script)
    {
        var path = Path.Combine(Folder(), script);
        var written = File.ReadAllText(path);
        var actual = new ScenarioScript(written).Run();
        if (Environment.GetEnvironmentVariable(RewriteVariable) == "1")
            File.WriteAllText(path, actual);
        else
            Assert.Equal(written, actual);
    }

    [Fact]
    public void ThereAreScenarios() => Assert.NotEmpty(Scripts());

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
