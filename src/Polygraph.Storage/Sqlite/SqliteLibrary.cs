using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Polygraph.Storage.Sqlite;

/// <summary>
/// Chooses the native SQLite once per process: the system's <c>libsqlite3.so.0</c> when it is at least as new as the bundled
/// <c>e_sqlite3</c>, because distributions patch it; else the bundled one. The environment variable <c>POLYGRAPH_SQLITE</c> overrides:
/// <c>bundled</c>, <c>system</c>, or the path of a library.
/// </summary>
public static unsafe class SqliteLibrary
{
    internal const string ImportName = "polygraph_sqlite";

    /// <summary>From 3.35 on, TEMP triggers fire while the schema's own triggers are switched off: without that a follower is blind.</summary>
    public const int OldestVersionNumber = 3_035_000;

    private const string Variable = "POLYGRAPH_SQLITE";
    private const int ConfigMemoryStatus = 9;
    private static readonly Lazy<(nint Handle, string Origin)> Loaded = new(Load);

    static SqliteLibrary() => NativeLibrary.SetDllImportResolver(typeof(SqliteLibrary).Assembly, Resolve);

    /// <summary>Which library runs: <c>bundled</c>, <c>system</c> or a path.</summary>
    public static string Origin => Loaded.Value.Origin;

    /// <summary>The file that it was loaded from, as the kernel knows it: the one that holds the code that runs. Null where that cannot be asked.</summary>
    public static string? Path
    {
        get
        {
            if (!OperatingSystem.IsLinux())
                return null;
            var code = (ulong)NativeLibrary.GetExport(Loaded.Value.Handle, "sqlite3_libversion");
            foreach (var line in File.ReadLines("/proc/self/maps"))
            {
                var range = line.AsSpan(0, line.IndexOf(' ', StringComparison.Ordinal));
                var dash = range.IndexOf('-');
                var path = line.IndexOf('/', StringComparison.Ordinal);
                if (path >= 0 && code >= Hexadecimal(range[..dash]) && code < Hexadecimal(range[(dash + 1)..]))
                    return line[path..];
            }

            return null;

            static ulong Hexadecimal(ReadOnlySpan<char> text) => ulong.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        }
    }

    /// <summary>For instance <c>3.40.1</c>.</summary>
    public static string Version => Utf8.Read(NativeMethods.sqlite3_libversion());

    /// <summary>For instance 3040001.</summary>
    public static int VersionNumber => NativeMethods.sqlite3_libversion_number();

    /// <summary>The check-in that it was built from.</summary>
    public static string SourceId => Utf8.Read(NativeMethods.sqlite3_sourceid());

    /// <summary>The options that it was built with.</summary>
    public static IReadOnlyList<string> CompileOptions
    {
        get
        {
            var options = new List<string>();
            for (var i = 0; NativeMethods.sqlite3_compileoption_get(i) is var option && option != null; i++)
                options.Add(Utf8.Read(option));
            return options;
        }
    }

    /// <summary>
    /// Whether it can say which row is about to change (SQLITE_ENABLE_PREUPDATE_HOOK). Debian, Ubuntu, Fedora and macOS build it so; the bundled
    /// library is not.
    /// </summary>
    public static bool HasPreupdateHook { get; } = NativeLibrary.TryGetExport(Loaded.Value.Handle, "sqlite3_preupdate_hook", out _);

    /// <summary>Loads the library, or throws <see cref="DllNotFoundException"/> that says what was tried.</summary>
    internal static void EnsureLoaded() => _ = Loaded.Value;

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
        => name == ImportName ? Loaded.Value.Handle : 0;

    private static (nint Handle, string Origin) Load()
    {
        var chosen = Choose(Environment.GetEnvironmentVariable(Variable));
        var version = VersionOf(chosen.Handle);
        WithoutMemoryStatistics(chosen.Handle);
        return version >= OldestVersionNumber
            ? chosen
            : throw new DllNotFoundException(
                $"The SQLite library ({chosen.Origin}) has version {version}; at least {OldestVersionNumber} is needed. Change {Variable}.");
    }

    /// <summary>
    /// SQLite counts the memory in use under one lock of the process, a tenth of the time of a write. Nobody reads the count. Where somebody else in
    /// the process has begun to use the library, SQLite refuses, and all is as it was.
    /// </summary>
    private static void WithoutMemoryStatistics(nint library)
        => _ = ((delegate* unmanaged[Cdecl]<int, int, int>)NativeLibrary.GetExport(library, "sqlite3_config"))(ConfigMemoryStatus, 0);

    private static (nint Handle, string Origin) Choose(string? wanted)
    {
        switch (wanted)
        {
            case null or "":
                var bundled = TryLoadBundled();
                var system = TryLoadSystem();
                if (system != 0 && (bundled == 0 || VersionOf(system) >= VersionOf(bundled)))
                    return (system, "system");
                return bundled != 0
                    ? (bundled, "bundled")
                    : throw new DllNotFoundException($"No SQLite library was found, neither bundled nor system. Set {Variable} to a path.");
            case "bundled":
                return (Require(TryLoadBundled(), wanted), wanted);
            case "system":
                return (Require(TryLoadSystem(), wanted), wanted);
            default:
                return (Require(NativeLibrary.TryLoad(wanted, out var handle) ? handle : 0, wanted), wanted);
        }
    }

    private static nint Require(nint handle, string wanted)
        => handle != 0 ? handle : throw new DllNotFoundException($"{Variable}={wanted}: that SQLite library cannot be loaded.");

    private static nint TryLoadBundled()
        => NativeLibrary.TryLoad("e_sqlite3", typeof(SqliteLibrary).Assembly, null, out var handle) ? handle : 0;

    private static nint TryLoadSystem()
        => NativeLibrary.TryLoad(OperatingSystem.IsMacOS() ? "libsqlite3.dylib" : "libsqlite3.so.0", out var handle) ? handle : 0;

    private static int VersionOf(nint handle)
        => ((delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(handle, "sqlite3_libversion_number"))();
}
