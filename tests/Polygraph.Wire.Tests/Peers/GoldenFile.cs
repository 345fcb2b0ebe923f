using System.Runtime.CompilerServices;
using System.Text;

namespace Polygraph.Wire.Tests.Peers;

/// <summary>
/// The bytes of a message as they were agreed, in a file of hexadecimal lines beside the test. To write them anew after a deliberate change of
/// format, run the tests with <c>POLYGRAPH_WRITE_GOLDEN=1</c> and review the difference: a released version's bytes must never change.
/// </summary>
internal static class GoldenFile
{
    private const int BytesPerLine = 32;

    public static void Check(string name, ReadOnlySpan<byte> actual, [CallerFilePath] string test = "")
    {
        var file = Path.Combine(Path.GetDirectoryName(test)!, "testdata", "v1", name + ".golden");
        if (Environment.GetEnvironmentVariable("POLYGRAPH_WRITE_GOLDEN") == "1")
            File.WriteAllText(file, Hex(actual));
        Assert.True(File.Exists(file), $"{file} is missing: run the tests with POLYGRAPH_WRITE_GOLDEN=1 and review it.");
        Assert.Equal(File.ReadAllText(file), Hex(actual));
    }

    private static string Hex(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        for (var start = 0; start < bytes.Length; start += BytesPerLine)
            text.Append(Convert.ToHexStringLower(bytes[start..Math.Min(bytes.Length, start + BytesPerLine)])).Append('\n');
        return text.ToString();
    }
}
