using System.Text.Json;
using Polygraph.Fuzz.Drawing;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Seeds;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Fuzz.Formats.Storage;

/// <summary>What a snapshot holds, as another node describes it.</summary>
internal sealed class Manifests : Codec<SnapshotManifest>
{
    public override string Name => "snapshot-manifest";

    /// <summary>The manifest of <paramref name="content"/> in chunks; the position has a few terms, seldom very many.</summary>
    public static SnapshotManifest Describe(Dice dice, byte[] content, int chunkBytes)
    {
        var start = LogBases.Base(dice);
        if (start.Position == Position.Zero)
            start = new(new(new(1), new(1)), TermHistory.FromStarts([new(new(1), new(1))]));
        var chunks = content.Chunk(chunkBytes).SelectMany(chunk => BitConverter.GetBytes(Crc32C.Of(chunk))).ToArray();
        return new(
            SnapshotManifest.CurrentFormat, new Guid(dice.Fill(new byte[16])), dice.Text(), (uint)dice.Number(), dice.Name(), start.Position.Term.Value, start.Position.Index.Value,
            [.. start.Terms.Starts.Select(from => new SnapshotTerm(from.Term.Value, from.Index.Value))], content.Length, 4096, chunkBytes, chunks, dice.Text(),
            dice.Many(() => new SnapshotTable(dice.Text(), dice.Text())), dice.Text());
    }

    protected override SnapshotManifest DrawValue(Dice dice) => Describe(dice, dice.Fill(new byte[1 + dice.Below(200)]), dice.Pick(1, 16, 64, 4096));

    protected override byte[] Encode(SnapshotManifest value) => value.ToJson();

    protected override SnapshotManifest Decode(byte[] bytes) => SnapshotManifest.FromJson(bytes);

    protected override bool IsRefusal(Exception exception) => exception is SnapshotRefusedException;

    protected override byte[] Damage(Dice dice, byte[] input, byte[] other) => JsonMutations.Mutate(dice, input, other, Words);
}

/// <summary>What of a download a restart finds: a manifest, and some of the file. Chunks that are there and right are kept, others fetched again.</summary>
internal sealed class IncomingSnapshots : Format
{
    private static readonly ReplicaHome Home = new("replica");

    public override string Name => "snapshot-resume";

    public override int Weight => 2;

    /// <summary>One chunk of the size that the manifest names; the format allows 64 MiB, whatever the file's length.</summary>
    public override int AllocationBaseMax => (64 << 20) + (1 << 20);

    public override byte[] Draw(Dice dice)
    {
        var content = dice.Fill(new byte[1 + dice.Below(400)]);
        var manifest = Manifests.Describe(dice, content, dice.Pick(16, 64, 4096));
        var kept = dice.Below(content.Length + 1);
        var input = FileBundle.Pack([("manifest", manifest.ToJson()), ("file", content[..kept])]);
        using var resumed = IncomingSnapshot.TryResume(FilesOf(input), Home)!;
        Same("The next chunk", (kept == content.Length ? manifest.Chunks : kept / manifest.ChunkBytes).ToString(), resumed.NextChunk.ToString());
        return input;
    }

    public override bool Accepts(byte[] input)
    {
        using var resumed = IncomingSnapshot.TryResume(FilesOf(input), Home);
        if (resumed is null)
            return false;
        try
        {
            resumed.Add(new byte[16]);
        }
        catch (SnapshotRefusedException)
        {
            return true; // The chunk was refused: the download goes on with another.
        }

        return true;
    }

    public override byte[] Mutate(Dice dice, byte[] input, byte[] other)
    {
        var files = FileBundle.Unpack(input);
        var others = FileBundle.Unpack(other);
        if (files.Count != 2 || others.Count != 2)
            return ByteMutations.Mutate(dice, input, other, Words);
        var manifest = dice.Coin() ? JsonMutations.Mutate(dice, files[0].Content, others[0].Content, Words) : files[0].Content;
        var content = dice.Coin() ? ByteMutations.Mutate(dice, files[1].Content, others[1].Content, Words) : files[1].Content;
        return FileBundle.Pack([("manifest", manifest), ("file", content)]);
    }

    private static MemoryFiles FilesOf(byte[] input)
    {
        var parts = FileBundle.Unpack(input);
        var files = new MemoryFiles();
        if (parts.Count > 0)
            files[Home.IncomingManifest] = parts[0].Content;
        if (parts.Count > 1)
            files[Home.IncomingFile] = parts[1].Content;
        return files;
    }
}

/// <summary>The description of an imported file.</summary>
internal sealed class Seeds : Codec<Seed>
{
    public override string Name => "seed-json";

    protected override Seed DrawValue(Dice dice)
        => new(new Guid(dice.Fill(new byte[16])), dice.Signed(), dice.Text(), dice.Many(() => new SeedTable(dice.Text(), dice.Signed(), dice.Text())));

    protected override byte[] Encode(Seed value) => value.ToJson();

    protected override Seed Decode(byte[] bytes) => Seed.FromJson(bytes);

    protected override bool IsRefusal(Exception exception) => exception is JsonException;

    protected override byte[] Damage(Dice dice, byte[] input, byte[] other) => JsonMutations.Mutate(dice, input, other, Words);
}
