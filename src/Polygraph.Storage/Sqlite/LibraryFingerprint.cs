using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Polygraph.Storage.Sqlite;

/// <summary>Tells SQLite libraries apart by what they understand: two with the same fingerprint take the same SQL.</summary>
public static class LibraryFingerprint
{
    // Which compiler built it says nothing about the SQL.
    private const string Compiler = "COMPILER=";

    // Tables that stand for pragmas: listed once they are used, so they differ between two connections of one library.
    private const string PragmaTables = "pragma_";

    private static readonly Lazy<UInt128> OfLoaded = new(() =>
    {
        using var connection = SqliteConnection.Open(":memory:", readOnly: false);
        return Of(SqliteLibrary.SourceId, SqliteLibrary.CompileOptions, Names(connection, "function_list"), Names(connection, "module_list"));
    });

    /// <summary>Of the library that this process runs.</summary>
    public static UInt128 Loaded => OfLoaded.Value;

    internal static UInt128 Of(string sourceId, IEnumerable<string> options, IEnumerable<string> functions, IEnumerable<string> modules)
    {
        var text = new StringBuilder(sourceId);
        Append(text, options.Where(option => !option.StartsWith(Compiler, StringComparison.Ordinal)));
        Append(text, functions);
        Append(text, modules.Where(module => !module.StartsWith(PragmaTables, StringComparison.Ordinal)));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()), hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    private static void Append(StringBuilder text, IEnumerable<string> names)
    {
        text.Append('\n');
        foreach (var name in names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            text.Append('\0').Append(name);
    }

    private static List<string> Names(SqliteConnection connection, string pragma)
    {
        var names = new List<string>();
        using var statement = connection.Prepare($"PRAGMA {pragma}");
        while (statement.Step())
            names.Add(statement.ColumnText(0));
        return names;
    }
}
