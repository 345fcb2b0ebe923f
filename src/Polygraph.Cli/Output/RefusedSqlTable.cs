using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Polygraph.Storage;
using Spectre.Console;

namespace Polygraph.Cli.Output;

/// <summary>One entry of the list of refused SQL, for scripts.</summary>
public sealed record RefusedSqlView(string What, RefusedBy By, string Code, string Message, string Example, IReadOnlyList<string> Setup);

/// <summary>The closed list of SQL that is refused.</summary>
public static class RefusedSqlTable
{
    private const int WidthInPipe = 120;

    public static void Print(bool json)
    {
        if (json)
            PrintJson();
        else
            PrintTable();
    }

    private static void PrintJson()
    {
        var views = RefusedSql.All.Select(each => new RefusedSqlView(each.What, each.By, each.Code, each.Message, each.Example, each.Setup)).ToList();
        // For terminals and files, so quotes stay quotes.
        var options = new JsonSerializerOptions(RefusedSqlJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        Screen.Verbatim(JsonSerializer.Serialize(views, new RefusedSqlJson(options).ListRefusedSqlView));
    }

    private static void PrintTable()
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = Style.Parse(Screen.Dim), ShowRowSeparators = true };
        // For people, through a pager too; scripts have --json.
        if (Console.IsOutputRedirected)
            table.Width = WidthInPipe;
        table.AddColumns("refused", "for example", "answer");
        foreach (var refused in RefusedSql.All)
            table.AddRow(
                Markup.Escape(refused.What.Replace("`", "", StringComparison.Ordinal)),
                $"[{Screen.Amber}]{Markup.Escape(refused.Example)}[/]",
                Markup.Escape($"{refused.Code}: {refused.Message.Replace("{0}", "…", StringComparison.Ordinal)}"));
        Screen.Out.Write(table);
        Screen.Line($"[{Screen.Dim}]Everything else that SQLite accepts is replicated.[/]");
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(List<RefusedSqlView>))]
internal sealed partial class RefusedSqlJson : JsonSerializerContext;
