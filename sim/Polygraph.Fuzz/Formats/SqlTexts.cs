using System.Text;
using Polygraph.Fuzz.Drawing;
using Polygraph.Storage.Capture;

namespace Polygraph.Fuzz.Formats;

/// <summary>
/// SQL as the lexer sees it that looks for keywords. It takes every text; what must hold is that it ends, loses no character that is not blank
/// or comment, and finds the same words again in what it found.
/// </summary>
internal sealed class SqlTexts : Format
{
    public override string Name => "sql-tokens";

    public override int Weight => 16;

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. new[]
        {
            "SELECT ", "INSERT OR REPLACE INTO ", "REPLACE INTO", " OR FAIL ", "RAISE(FAIL, 'x')", "ON CONFLICT(a) DO NOTHING ", "ON CONFLICT(\"a\", [b]) ", "-- x\n", "--", "/* x */", "/*", "*/", "'", "''", "\"", "[", "]", "`", ";", "(", ")",
            "BEGIN", "'it''s'", "x'00'", ":p", "?1", "$a", "@a", "1e5", "||", "grün", "名前", "\0",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    public override byte[] Draw(Dice dice)
    {
        var text = new StringBuilder();
        for (var pieces = dice.Count(10, 2000); pieces > 0; pieces--)
            text.Append(Encoding.UTF8.GetString(dice.PickOf(Words)));
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public override bool Accepts(byte[] input)
    {
        var sql = Encoding.UTF8.GetString(input);
        SqlTokens.CanReplace(sql);
        SqlTokens.CanFail(sql);
        SqlTokens.HasTwinUpserts(sql);
        SqlTokens.FirstWord(sql);
        return true;
    }

    public override void CheckAccepted(byte[] input)
    {
        var sql = Encoding.UTF8.GetString(input);
        var tokens = new SqlTokens(sql);
        var before = 0;
        var found = new List<string>();
        while (tokens.Read())
        {
            var end = tokens.Consumed(sql);
            if (end <= before || end - tokens.Current.Length < before || !sql.AsSpan(end - tokens.Current.Length, tokens.Current.Length).SequenceEqual(tokens.Current))
                throw new BrokenPromiseException($"A token of {tokens.Current.Length} characters ends at {end}, and the last one ended at {before}.");
            before = end;
            found.Add(tokens.Current.ToString());
        }

        // An unfinished quote would swallow what comes after it.
        var again = new List<string>();
        var spaced = string.Join('\n', found);
        for (tokens = new SqlTokens(spaced); tokens.Read();)
            again.Add(tokens.Current.ToString());
        if (!found.Any(token => token[0] is '-' or '/' or '\'' or '"' or '`' or '['))
            Same("The tokens", string.Join(' ', found), string.Join(' ', again));
    }

    public override byte[] Mutate(Dice dice, byte[] input, byte[] other) => TextMutations.Mutate(dice, input, other, Words);
}
