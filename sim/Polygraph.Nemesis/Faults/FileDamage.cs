namespace Polygraph.Nemesis.Faults;

/// <summary>What a failing disk does to the files of a replica that does not run: bits that flip, files that end too early.</summary>
internal static class FileDamage
{
    private const int BitsMax = 5;

    /// <summary>Damages the log or the database file, and says how. The vote file is left alone: a replica that cannot read it is refused for good.</summary>
    public static string Inflict(string nodeDirectory, string database, Dice dice)
    {
        var home = Directory.GetDirectories(Path.Combine(nodeDirectory, "databases"), $"{database}.*").Single();
        var segments = Directory.GetFiles(Path.Combine(home, "log"), "*.seg").Order(StringComparer.Ordinal).ToList();
        var file = Path.Combine(home, "database.sqlite");
        var path = dice.Chance(60) && segments.Count > 0 || !File.Exists(file) ? dice.Pick(segments) : file;
        var bytes = File.ReadAllBytes(path);

        // Zeros that were written ahead hold nothing.
        var used = Array.FindLastIndex(bytes, value => value != 0) + 1;
        if (used == 0)
            return $"{Path.GetFileName(path)} is empty";
        if (dice.Chance(25))
        {
            var length = dice.Below(used);
            File.WriteAllBytes(path, bytes[..length]);
            return $"{Path.GetFileName(path)} cut from {used} used bytes to {length}";
        }

        var places = Enumerable.Range(0, dice.Between(1, BitsMax)).Select(_ => dice.Below(used)).ToList();
        foreach (var place in places)
            bytes[place] ^= (byte)(1 << dice.Below(8));
        File.WriteAllBytes(path, bytes);
        return $"{Path.GetFileName(path)}, {used} used bytes, bits flipped at {string.Join(' ', places)}";
    }
}
