using System.CommandLine;

namespace Polygraph.Cli;

/// <summary>What somebody meant who mistyped a command or an option.</summary>
internal static class NearestName
{
    /// <summary>Of words shorter than this, almost any other is two changes away.</summary>
    private const int ShortLength = 4;

    /// <summary>The command or option that the first word that was not understood is nearest to; null if none is near.</summary>
    public static string? For(ParseResult parsed)
        => parsed.UnmatchedTokens is [var word, ..] ? For(word, NamesIn(parsed.CommandResult.Command)) : null;

    private static string? For(string word, IEnumerable<string> names)
        => names.Select(name => (Name: name, Changes: ChangesBetween(word, name))).Where(near => near.Changes <= (word.Length < ShortLength ? 1 : 2))
            .OrderBy(near => near.Changes).Select(near => near.Name).FirstOrDefault();

    private static IEnumerable<string> NamesIn(Command command) => [.. command.Subcommands.Select(each => each.Name), .. command.Options.Select(each => each.Name)];

    /// <summary>Letters added, left out, exchanged, or swapped with their neighbour: the optimal string alignment distance.</summary>
    private static int ChangesBetween(string one, string other)
    {
        var changes = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        {
            for (var j = 0; j <= other.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    changes[i, j] = i + j;
                    continue;
                }

                var exchanged = changes[i - 1, j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
                changes[i, j] = Math.Min(exchanged, 1 + Math.Min(changes[i - 1, j], changes[i, j - 1]));
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                    changes[i, j] = Math.Min(changes[i, j], 1 + changes[i - 2, j - 2]);
            }
        }

        return changes[one.Length, other.Length];
    }
}
