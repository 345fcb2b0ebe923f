using Polygraph.Nemesis.Faults;

namespace Polygraph.Nemesis.Tests.Faults;

public sealed class FileDamageTests
{
    [Fact]
    public void Damage_changes_one_file_within_what_is_used_and_says_what_it_did()
    {
        var seen = new HashSet<string>();
        for (var seed = 1UL; seed <= 60; seed++)
        {
            var root = Directory.CreateTempSubdirectory("polygraph-damage-").FullName;
            try
            {
                var home = Directory.CreateDirectory(Path.Combine(root, "databases", "main.1")).FullName;
                Directory.CreateDirectory(Path.Combine(home, "log"));
                byte[] content = [.. Enumerable.Repeat((byte)0xA5, 1000), .. new byte[3000]];
                string[] files = [Path.Combine(home, "log", "1.seg"), Path.Combine(home, "database.sqlite")];
                foreach (var file in files)
                    File.WriteAllBytes(file, content);

                var words = FileDamage.Inflict(root, "main", new Dice(seed));
                var changed = Assert.Single(files, file => !File.ReadAllBytes(file).SequenceEqual(content));
                Assert.StartsWith(Path.GetFileName(changed), words, StringComparison.Ordinal);
                var after = File.ReadAllBytes(changed);
                Assert.True(after.Length < 1000 || after.Skip(1000).All(value => value == 0), "zeros that were written ahead stay");
                seen.Add((after.Length < content.Length ? "cut " : "flipped ") + Path.GetFileName(changed));
            }
            finally
            {
                Directory.Delete(root, recursive: true);
            }
        }

        Assert.Equal(["cut 1.seg", "cut database.sqlite", "flipped 1.seg", "flipped database.sqlite"], seen.Order());
    }
}
