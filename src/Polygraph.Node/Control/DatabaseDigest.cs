using System.Security.Cryptography;
using System.Text;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Control;

/// <summary>One digest of all of users' tables: equal on all replicas at the same position, and those of earlier versions.</summary>
internal static class DatabaseDigest
{
    private const string ListDigests = "SELECT table_name, digest FROM polygraph_digests WHERE table_name NOT LIKE 'polygraph#_%' ESCAPE '#' ORDER BY table_name";

    /// <summary>What has to be asked of a replica.</summary>
    public static SqlUnit Query { get; } = new(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement(ListDigests, []))]);

    /// <summary>The digest that the answer holds.</summary>
    public static string Of(UnitResult answer)
    {
        if (answer.Steps[0] is not StepResult.Rows rows)
            throw new InvalidDataException($"The digests cannot be read: {answer.FirstError?.Message}");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var row in rows.Result.Rows)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(row[0].ToString()));
            hash.AppendData(Encoding.UTF8.GetBytes(row[1].ToString()));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }
}
