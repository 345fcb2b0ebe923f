using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Checking;

/// <summary>Operations in words, for witnesses.</summary>
internal static class OperationText
{
    /// <summary>Elements that are shown of a long list, at its end: what a witness is about is mostly there.</summary>
    private const int ElementsShown = 8;

    public static string InWords(this Operation operation)
    {
        var what = operation.Kind switch
        {
            OperationKind.Read => $"read{Of(operation)} = {Short(operation.Out)}",
            OperationKind.Cas => $"cas{Of(operation)} from {operation.In.Items[0]} to {operation.In.Items[1]}",
            OperationKind.Transfer
                => $"transfer of {operation.In.Entries["amount"]} from {operation.In.Entries["from"].Text} to {operation.In.Entries["to"].Text}",
            OperationKind.Txn => $"txn {Steps(operation)}",
            _ => $"{Words.Of(operation.Kind)}{Of(operation)} of {operation.In}",
        };
        var node = operation.Node is { } number ? $" at node {number}" : "";
        var session = operation.Session is { } name ? $", session {name}" : "";
        var position = operation.Position is { } token ? $", position {token}" : "";
        return $"client {operation.Client}'s {what}{node}{session}{position} ({Words.Of(operation.Type)}, {Times(operation)})";
    }

    public static string Short(Value value)
        => value.Kind == ValueKind.List && value.Items.Length > ElementsShown
            ? $"[… {string.Join(", ", value.Items[^ElementsShown..])}] ({value.Items.Length} elements)"
            : value.ToString();

    private static string Steps(Operation operation)
    {
        var steps = operation.Type == OperationType.Ok ? operation.Out.Items : operation.In.Items;
        return string.Join(" ", steps.Select(step => step.Items[0].Text == "r"
            ? $"r({step.Items[1].Text} = {Short(step.Items[2])})"
            : $"append({step.Items[1].Text}, {step.Items[2]})"));
    }

    private static string Of(Operation operation) => operation.Key is { } key ? $" of {key}" : "";

    private static string Times(Operation operation)
        => operation.EndNanoseconds is { } end
            ? FormattableString.Invariant($"{operation.StartNanoseconds / 1e9:0.000000}–{end / 1e9:0.000000} s")
            : FormattableString.Invariant($"from {operation.StartNanoseconds / 1e9:0.000000} s on, never ended");
}
