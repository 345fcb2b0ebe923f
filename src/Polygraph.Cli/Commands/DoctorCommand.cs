using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Polygraph.Cli.Doctor;
using Polygraph.Cli.Output;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph doctor</c>: what the nodes run on, and what is wrong with it.</summary>
public static class DoctorCommand
{
    public static Command Create()
    {
        var url = CommonOptions.Url();
        var data = new Option<string?>("--data") { Description = "Examine the files in a data directory instead of asking nodes; works when they are down.", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("doctor", "Measure what the nodes run on, and say what is wrong with it.") { url, data, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var report = parsed.GetValue(data) is { } directory
                ? ExamineFiles(directory, cancellation)
                : await ExamineClusterAsync(parsed, url, cancellation);
            if (parsed.GetValue(json))
                Screen.Verbatim(JsonSerializer.Serialize(report, DoctorJson.Default.DoctorReport));
            else
                DoctorText.Print(report);
            return report.Findings.Any(finding => finding.IsError) ? ExitCode.Failed : ExitCode.Ok;
        });
        return command;
    }

    private static async Task<DoctorReport> ExamineClusterAsync(ParseResult parsed, Option<string?> url, CancellationToken cancellation)
    {
        using var client = parsed.Client(url);
        var view = await client.GetClusterAsync(cancellation);
        using var examination = new ClusterExamination();
        var answers = await examination.AskAsync(view, cancellation);
        var findings = DoctorRules.OfCluster(view, answers).Concat(answers.Where(answer => answer.Diagnosis is not null).SelectMany(answer => DoctorRules.OfNode(answer.Diagnosis!)));
        return new DoctorReport(answers, null, [.. findings]);
    }

    private static DoctorReport ExamineFiles(string directory, CancellationToken cancellation)
    {
        var examined = DirectoryExamination.Find(directory).Select(node => DirectoryExamination.Examine(node, cancellation)).ToList();
        return new DoctorReport(null, [.. examined.Select(node => node.Answer)], [.. examined.SelectMany(node => node.Findings)]);
    }
}

/// <summary>All that was measured, and what is wrong with it.</summary>
public sealed record DoctorReport(IReadOnlyList<NodeAnswer>? Nodes, IReadOnlyList<DirectoryAnswer>? Directories, IReadOnlyList<Finding> Findings);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(DoctorReport))]
internal sealed partial class DoctorJson : JsonSerializerContext;
