using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Tests.Sqlite;

public sealed class LibraryFingerprintTests
{
    private static readonly string[] Options = ["COMPILER=gcc-12", "ENABLE_FTS5", "THREADSAFE=1"];

    [Fact]
    public void The_same_library_has_the_same_fingerprint_whatever_compiled_it_and_whatever_was_used()
    {
        var before = Of(Options, ["abs", "max", "max"], ["fts5", "rtree"]);

        Assert.Equal(before, Of(["THREADSAFE=1", "COMPILER=clang-19", "ENABLE_FTS5"], ["max", "abs"], ["rtree", "fts5", "pragma_table_info"]));
        Assert.NotEqual(UInt128.Zero, LibraryFingerprint.Loaded);
    }

    [Fact]
    public void Another_source_option_function_or_module_makes_another()
    {
        var one = Of(Options, ["abs"], ["fts5"]);

        Assert.NotEqual(one, LibraryFingerprint.Of("other", Options, ["abs"], ["fts5"]));
        Assert.NotEqual(one, Of(["THREADSAFE=1"], ["abs"], ["fts5"]));
        Assert.NotEqual(one, Of(Options, ["abs", "sqrt"], ["fts5"]));
        Assert.NotEqual(one, Of(Options, ["abs"], []));
        Assert.NotEqual(one, Of(Options, [], ["abs", "fts5"]));
    }

    private static UInt128 Of(string[] options, string[] functions, string[] modules)
        => LibraryFingerprint.Of("2021-04-19 18:32:05", options, functions, modules);
}
