using System.Diagnostics;
using Polygraph.CrashTest;
using Polygraph.CrashTest.Crashes;
using Polygraph.CrashTest.Io;

if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine("This test forks itself, which only Linux lets a .NET process do.");
    return 2;
}

Options options;
try
{
    options = Options.Parse(args);
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

if (ChildProcess.NeedsOtherRuntime is { Count: > 0 } settings)
{
    // Run as `dotnet FILE.dll`, the program is dotnet's, and the file its first argument.
    var isHosted = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
    var start = new ProcessStartInfo(Environment.ProcessPath!, isHosted ? [Environment.GetCommandLineArgs()[0], .. args] : args) { UseShellExecute = false };
    foreach (var (name, value) in settings)
        start.Environment[name] = value;
    using var process = Process.Start(start)!;
    process.WaitForExit();
    return process.ExitCode;
}

// Syncs of a memory file system cost nothing; a killed process loses nothing there either.
var root = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"polygraph-crash-{Environment.ProcessId}"));
var clock = Stopwatch.StartNew();
try
{
    var enumeration = new Enumeration(root.FullName, options);
    if (options.CountOnly)
    {
        Print(enumeration.Record());
        return 0;
    }

    enumeration.Run();
    Print(enumeration.Points);
    var tally = enumeration.Tally;
    Console.WriteLine($"killed before an operation:      {tally.Kills,7:N0}");
    Console.WriteLine($"killed in the middle of a write: {tally.TornWrites,7:N0}");
    Console.WriteLine($"killed again while recovering:   {tally.KillsOfRecovery,7:N0}");
    Console.WriteLine($"operation failed:                {tally.Faults,7:N0}");
    Console.WriteLine($"power lost:                      {tally.PowerLosses,7:N0}");
    Console.WriteLine($"power lost again, recovering:    {tally.PowerLossesOfRecovery,7:N0}");
    Console.WriteLine($"children made again:             {ChildProcess.Repeated,7:N0}");
    Console.WriteLine($"{tally.BadStates.Count} bad states, {clock.Elapsed.TotalSeconds:N1} s");
    foreach (var bad in tally.BadStates.Take(5))
        Console.WriteLine($"\n{bad}");
    return tally.BadStates.Count == 0 ? 0 : 1;
}
finally
{
    root.Delete(recursive: true);
}

static void Print(IReadOnlyList<IoPoint> points)
{
    var kinds = points.GroupBy(point => point.Kind).OrderBy(kind => kind.Key).Select(kind => $"{kind.Key} {kind.Count()}");
    Console.WriteLine($"operations of the script: {points.Count} ({string.Join(", ", kinds)})");
}
