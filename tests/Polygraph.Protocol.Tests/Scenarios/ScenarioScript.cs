using System.Text;

namespace Polygraph.Protocol.Tests.Scenarios;

/// <summary>
/// A script: blocks of commands, a line of dashes, and what they print. Blank lines part the blocks; lines that begin with <c>#</c> stay
/// where they are.
/// </summary>
public sealed class ScenarioScript(string text)
{
    private const string Dashes = "----";

    /// <summary>The same script, with what its commands print now.</summary>
    public string Run()
    {
        var world = new ScenarioWorld();
        var output = new StringBuilder();
        var expectedFollows = false;
        var commands = new List<string>();
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd()))
        {
            if (line == Dashes)
            {
                output.AppendLine(Dashes);
                foreach (var printed in commands.SelectMany(world.Do))
                    output.AppendLine(printed);
                commands.Clear();
                expectedFollows = true;
            }
            else if (line.Length == 0)
            {
                expectedFollows = false;
                output.AppendLine();
            }
            else if (!expectedFollows)
            {
                output.AppendLine(line);
                if (!line.StartsWith('#'))
                    commands.Add(line);
            }
        }

        return output.ToString().TrimEnd() + "\n";
    }
}
