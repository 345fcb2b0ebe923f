using System.Globalization;
using Polygraph.Cli.Commands;
using Polygraph.Node.Diagnosis;
using Spectre.Console;

namespace Polygraph.Cli.Output;

/// <summary>A diagnosis for people.</summary>
internal static class DoctorText
{
    private const long MiB = 1 << 20;

    public static void Print(DoctorReport report)
    {
        foreach (var answer in report.Nodes ?? [])
        {
            Screen.Line($"[bold]{Markup.Escape(answer.Node)}[/]");
            if (answer.Diagnosis is not { } diagnosis)
                continue;
            Print(diagnosis);
            Fact("clock", Invariant($"{answer.ClockOffset?.TotalMilliseconds:+0.0;-0.0;0} ms from the first node's, ± {answer.ClockError.TotalMilliseconds:0.0} ms"));
        }

        foreach (var directory in report.Directories ?? [])
        {
            Screen.Line($"[bold]{Markup.Escape(directory.Diagnosis.Directory.Path)}[/]{(directory.InUse ? " (in use by a running node)" : "")}");
            Print(directory.Diagnosis);
            foreach (var file in directory.Files)
                Fact(file.Database, Invariant($"{(file.LogEntries is { } entries ? $"log of {CountText.Of(entries, "entry", "entries")} to {file.LogLast}" : "no log")}; SQLite {file.File}"));
        }

        foreach (var finding in report.Findings.OrderByDescending(finding => finding.IsError))
        {
            var colour = finding.IsError ? Screen.Red : Screen.Amber;
            Screen.Line($"[{colour}]{finding.Severity}[/] {Markup.Escape(finding.Where)}: {Markup.Escape(finding.What)} [{Screen.Dim}]{Markup.Escape(finding.Advice)}[/]");
        }

        if (report.Findings.Count == 0)
            Screen.Line($"[{Screen.Green}]Nothing is wrong with what was looked at.[/]");
    }

    private static void Print(NodeDiagnosis diagnosis)
    {
        var (system, sqlite, directory) = (diagnosis.System, diagnosis.Sqlite, diagnosis.Directory);
        Fact("polygraph", $"{diagnosis.Version} on .NET {system.DotNet}, {system.OperatingSystem}, {system.Architecture}");
        Fact("machine", Invariant($"{system.Host}: {CountText.Of(system.Processors, "processor")}, {system.MemoryBytes / MiB} MiB of memory; {system.OpenFiles} of {system.OpenFilesMax} files open"));
        Fact("sqlite", $"{sqlite.Version} ({sqlite.Origin}, {sqlite.ThreadingMode}), {sqlite.Path}");
        Fact("", sqlite.SourceId);
        Fact("", string.Join(' ', sqlite.CompileOptions));
        Fact("data", directory.FileSystem is { } fileSystem
            ? Invariant($"{directory.Path}, {fileSystem}, {directory.FreeBytes / MiB} of {directory.TotalBytes / MiB} MiB free")
            : $"{directory.Path}, which is not there");
        if (directory.Sync is { } sync)
            Fact("sync", Invariant($"{sync.MedianMicroseconds} µs at the median, {sync.MaxMicroseconds} µs at most, of {sync.Samples}"));
        foreach (var sizes in diagnosis.Databases)
        {
            Fact(sizes.Database, Invariant(
                $"SQLite {sizes.DatabaseBytes / MiB} MiB and {sizes.WriteAheadBytes / MiB} MiB write-ahead, log {sizes.LogBytes / MiB} MiB{(sizes.CutFiles > 0 ? $", {CountText.Of(sizes.CutFiles, "file")} of cut entries" : "")}{(sizes.DamagedFiles > 0 ? $", {CountText.Of(sizes.DamagedFiles, "part")} of a damaged log" : "")}"));
        }
    }

    private static void Fact(string name, string value) => Screen.Line($"  [{Screen.Dim}]{Markup.Escape(name),-12}[/] {Markup.Escape(value)}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
