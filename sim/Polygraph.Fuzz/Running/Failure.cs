namespace Polygraph.Fuzz.Running;

/// <summary>A bug: which input shows it, and how to see it again.</summary>
/// <param name="Format">The format's name.</param>
/// <param name="Seed">The batch's seed.</param>
/// <param name="Number">Which input of the batch.</param>
/// <param name="Complaint">What happened.</param>
/// <param name="Input">The input, as small as it could be made; null if drawing a valid structure failed already.</param>
internal sealed record Failure(string Format, ulong Seed, int Number, string Complaint, byte[]? Input)
{
    /// <summary>The command that repeats it.</summary>
    public string Command => $"dotnet run --project sim/Polygraph.Fuzz -c Release -- --only {Format} --seed {Seed} --inputs {Number + 1}";

    /// <summary>Two failures of the same kind have the same one: the complaint's first line, without numbers, and where it was thrown.</summary>
    public string Kind
    {
        get
        {
            var lines = Complaint.Split('\n');
            var place = lines.FirstOrDefault(line => line.TrimStart().StartsWith("at Polygraph.", StringComparison.Ordinal)) ?? "";
            return Format + new string([.. lines[0].Where(letter => !char.IsDigit(letter)).Take(80)]) + place;
        }
    }
}
