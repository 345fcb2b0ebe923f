using System.Globalization;
using Polygraph.CrashTest.Io;
using Polygraph.CrashTest.Power;
using Polygraph.CrashTest.Script;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Storage.Sqlite;

namespace Polygraph.CrashTest.Crashes;

/// <summary>How often something was tried.</summary>
internal sealed class Tally
{
    public int Kills { get; set; }

    public int TornWrites { get; set; }

    public int KillsOfRecovery { get; set; }

    public int Faults { get; set; }

    public int PowerLosses { get; set; }

    public int PowerLossesOfRecovery { get; set; }

    public List<string> BadStates { get; } = [];
}

/// <summary>
/// Runs the script once to learn its operations, then again for each of them, ending a child there and checking what it leaves.
/// </summary>
internal sealed class Enumeration(string root, Options options)
{
    private readonly History _history = new();
    private int _directories;

    public Tally Tally { get; } = new();

    /// <summary>The operations of the whole script, in order.</summary>
    public IReadOnlyList<IoPoint> Points { get; private set; } = [];

    public void Run()
    {
        Points = Record();
        if (options.Only is { } only)
        {
            Kill(only, options.OnlyTorn, withRecovery: true);
            return;
        }

        for (var at = 1; at <= Points.Count; at += options.Stride)
        {
            var withRecovery = at % options.RecoveryStride == 0;
            Kill(at, torn: false, withRecovery);
            if (Points[at - 1] is { Kind: IoKind.Write, Bytes: > 1 })
                Kill(at, torn: true, withRecovery);
        }

        for (var at = 1; at <= Points.Count; at += options.FaultStride * options.Stride)
        {
            Fail(at, IoFailure.Device);
            if (Points[at - 1].Kind is IoKind.Write or IoKind.Create)
                Fail(at, IoFailure.NoSpace);
        }

        for (var at = 1; at <= Points.Count; at += options.PowerStride * options.Stride)
            LosePower(at, withRecovery: at % options.RecoveryStride < options.PowerStride);
    }

    /// <summary>Runs the script without any harm, and makes all code ready that a child will need.</summary>
    public IReadOnlyList<IoPoint> Record()
    {
        var home = NewDirectory();
        var tap = new RecordingTap();
        var reports = new List<Report>();
        TappedVfs.Install(tap);
        new WritePath(new TappedFileSystem(tap), home, Planted.None, reports.Add, _history).Run();
        TappedVfs.Install(null);
        if (!options.CountOnly)
            new RecoveryCheck(home, _history, reports, Planted.None).Run();
        Directory.Delete(home, recursive: true);
        return tap.Points;
    }

    private void Kill(int at, bool torn, bool withRecovery)
    {
        var home = NewDirectory();
        var (end, sent) = ChildProcess.Run(() => Empty(home), pipe => RunScript(home, pipe, new KillTap(at, torn)));
        if (end != ChildEnd.Killed)
            Tally.BadStates.Add($"the script has {Points.Count} operations, but another try ended before number {at}: {end}");
        else if (torn)
            Tally.TornWrites++;
        else
            Tally.Kills++;

        var what = $"{(torn ? "killed in the middle of" : "killed before")} operation {at}, {Points[at - 1]}";
        var reports = Report.DecodeAll(sent);
        if (withRecovery)
            KillRecovery(home, reports, what);
        Check(home, reports, what);
    }

    /// <summary>Kills recovery at each of its own operations, each time from the same crashed state.</summary>
    private void KillRecovery(string crashed, IReadOnlyList<Report> reports, string what)
    {
        for (var at = 1; ; at++)
        {
            var home = NewDirectory();
            var (end, _) = ChildProcess.Run(() => Copy(crashed, home), _ => RunRecovery(home, new KillTap(at, torn: false)));
            if (end == ChildEnd.Killed)
                Tally.KillsOfRecovery++;
            Check(home, reports, $"{what}; then killed before operation {at} of recovery");
            if (end != ChildEnd.Killed)
                return;
        }
    }

    /// <summary>An operation fails: the engine says so by an exception of the environment, is closed, and recovers when it is opened again.</summary>
    private void Fail(int at, IoFailure failure)
    {
        var home = NewDirectory();
        var (end, sent) = ChildProcess.Run(() => Empty(home), pipe => RunUntilItFails(home, pipe, new FaultTap(at, failure)));
        Tally.Faults++;
        var what = $"{failure} at operation {at}, {Points[at - 1]}";
        if (end != ChildEnd.Finished)
            Tally.BadStates.Add($"{what}: the engine ended by something else ({end})");
        Check(home, Report.DecodeAll(sent), what);
    }

    private void LosePower(int at, bool withRecovery)
    {
        var home = NewDirectory();
        var survivors = Enumerable.Range(0, options.Survivors).Select(_ => NewDirectory()).ToArray();
        var (_, sent) = ChildProcess.Run(() => Empty([home, .. survivors]), pipe => RunScript(home, pipe, new PowerTap(home, survivors, at, options.Planted)));
        Directory.Delete(home, recursive: true);
        var reports = Report.DecodeAll(sent);
        foreach (var survivor in survivors.Where(Directory.Exists))
        {
            Tally.PowerLosses++;
            var what = $"power lost after operation {at}, {Points[at - 1]}";
            if (withRecovery)
                LosePowerInRecovery(survivor, reports, what);
            Check(survivor, reports, what);
        }
    }

    private void LosePowerInRecovery(string crashed, IReadOnlyList<Report> reports, string what)
    {
        for (var at = 1; ; at++)
        {
            var home = NewDirectory();
            var survivor = NewDirectory();
            ChildProcess.Run(
                () =>
                {
                    Copy(crashed, home);
                    Empty(survivor);
                },
                _ => RunRecovery(home, new PowerTap(home, [survivor], at, options.Planted)));
            Directory.Delete(home, recursive: true);
            if (!Directory.Exists(survivor))
                return;
            Tally.PowerLossesOfRecovery++;
            Check(survivor, reports, $"{what}; then lost again after operation {at} of recovery");
        }
    }

    private void Check(string home, IReadOnlyList<Report> reports, string what)
    {
        try
        {
            new RecoveryCheck(home, _history, reports, options.Planted).Run();
        }
#pragma warning disable CA1031 // Not hidden: whatever recovery throws is a bad state, counted and printed.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Tally.BadStates.Add($"{what}: {(e is BadStateException ? e.Message : e)}");
        }

        Directory.Delete(home, recursive: true);
    }

    private void RunScript(string home, int pipe, IIoTap tap)
    {
        TappedVfs.Install(tap);
        new WritePath(new TappedFileSystem(tap), home, options.Planted, report => ChildProcess.Write(pipe, report.Encode())).Run();
    }

    private void RunUntilItFails(string home, int pipe, IIoTap tap)
    {
        try
        {
            RunScript(home, pipe, tap);
        }
        catch (Exception e) when (e is LogFailedException or IOException or SqliteException)
        {
            // As it must: the replica stops with it. SQLite and a vote may also have gone on without what failed, if nothing depended on it.
        }
    }

    private void RunRecovery(string home, IIoTap tap)
    {
        TappedVfs.Install(tap);
        using var machine = Machine.Open(new TappedFileSystem(tap), home, options.Planted);
        machine.Replay();
    }

    private string NewDirectory() => Path.Combine(root, (++_directories).ToString(CultureInfo.InvariantCulture));

    private static void Empty(params string[] directories)
    {
        foreach (var directory in directories.Where(Directory.Exists))
            Directory.Delete(directory, recursive: true);
    }

    private static void Copy(string directory, string copy)
    {
        Empty(copy);
        Directory.CreateDirectory(copy);
        foreach (var inner in Directory.GetDirectories(directory, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(copy, Path.GetRelativePath(directory, inner)));
        foreach (var file in Directory.GetFiles(directory, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(copy, Path.GetRelativePath(directory, file)));
    }
}
