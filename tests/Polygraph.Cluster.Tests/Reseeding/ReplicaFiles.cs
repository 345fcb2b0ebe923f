namespace Polygraph.Cluster.Tests.Reseeding;

/// <summary>The files of a stopped node's replica, and what a failing disk does to them.</summary>
internal static class ReplicaFiles
{
    private const int PageBytes = 4096;

    public static string HomeOf(string nodeDirectory, string database = "main")
        => Directory.GetDirectories(Path.Combine(nodeDirectory, "databases"), $"{database}.*").Single();

    public static string DatabaseOf(string nodeDirectory, string database = "main") => Path.Combine(HomeOf(nodeDirectory, database), "database.sqlite");

    /// <summary>Turns some bits in the middle of what a log's first segment holds.</summary>
    public static void DamageLog(string nodeDirectory, string database = "main")
    {
        var path = Directory.GetFiles(Path.Combine(HomeOf(nodeDirectory, database), "log"), "*.seg").Order(StringComparer.Ordinal).First();
        var bytes = File.ReadAllBytes(path);
        var used = Array.FindLastIndex(bytes, value => value != 0) + 1;
        for (var i = 0; i < 5; i++)
            bytes[(used / 3) + i] ^= 0x10;
        File.WriteAllBytes(path, bytes);
    }

    /// <summary>Makes the file's header unreadable.</summary>
    public static void DamageHeader(string nodeDirectory, string database = "main")
        => Edit(DatabaseOf(nodeDirectory, database), bytes => bytes.AsSpan(0, 16).Fill(0x41));

    /// <summary>Overwrites the headers of all pages but the first ones, so that whoever walks a table comes upon one.</summary>
    public static void DamagePages(string nodeDirectory)
        => Edit(DatabaseOf(nodeDirectory), bytes =>
        {
            for (var page = 24; page < bytes.Length / PageBytes; page++)
                bytes.AsSpan(page * PageBytes, 12).Fill(0xEE);
        });

    /// <summary>Changes one character of a row, which no structure of SQLite's notices.</summary>
    public static void DamageText(string nodeDirectory, string text)
        => Edit(DatabaseOf(nodeDirectory), bytes =>
        {
            var at = bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(text));
            Assert.True(at > 0, $"'{text}' is not in the database file");
            bytes[at] ^= 1;
        });

    /// <summary>Flips a bit of the byte behind a text, which in a row of idempotency keys is the first one that says where the key was used.</summary>
    public static void DamageBehindText(string nodeDirectory, string text)
        => Edit(DatabaseOf(nodeDirectory), bytes =>
        {
            var at = bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(text));
            Assert.True(at > 0, $"'{text}' is not in the database file");
            bytes[at + text.Length] ^= 1 << 6;
        });

    private static void Edit(string path, Action<byte[]> damage)
    {
        var bytes = File.ReadAllBytes(path);
        damage(bytes);
        File.WriteAllBytes(path, bytes);
    }
}
