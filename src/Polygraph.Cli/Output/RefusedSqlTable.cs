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
    private const string Closing = "Everything else that SQLite accepts is replicated.";

    public static void Print(bool json)
    {
        if (json)
            PrintJson();
        else if (Console.IsOutputRedirected)
            PrintList();
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

    // A table that is not folded would be hundreds of columns wide.
    private static void PrintList()
    {
        foreach (var refused in RefusedSql.All)
            Screen.Verbatim($"{Plain(refused.What)}\n    {refused.Example}\n    {Answer(refused)}\n");
        Screen.Verbatim(Closing);
    }

    private static string Plain(string what) => what.Replace("`", "", StringComparison.Ordinal);

    private static string Answer(RefusedSql refused) => $"{refused.Code}: {refused.Message.Replace("{0}", "…", StringComparison.Ordinal)}";

    private static void PrintTable()
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = Style.Parse(Screen.Dim), ShowRowSeparators = true };
        table.AddColumns("refused", "for example", "answer");
        foreach (var refused in RefusedSql.All)
            table.AddRow(
                Markup.Escape(Plain(refused.What)),
                $"[{Screen.Amber}]{Markup.Escape(refused.Example)}[/]",
                Markup.Escape(Answer(refused)));
        Screen.Out.Write(table);
        Screen.Line($"[{Screen.Dim}]{Closing}[/]");
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(List<RefusedSqlView>))]
internal sealed partial class RefusedSqlJson : JsonSerializerContext;
