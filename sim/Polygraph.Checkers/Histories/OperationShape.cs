namespace Polygraph.Checkers.Histories;

/// <summary>What "in" and "out" of each operation are made of. Checkers rely on it.</summary>
internal static class OperationShape
{
    /// <summary>What is wrong with the operation; null if nothing is.</summary>
    public static string? Complaint(Operation operation) => operation.Kind switch
    {
        OperationKind.Write when !IsScalar(operation.In) => "a write has a number or text in \"in\"",
        OperationKind.Add when !IsScalar(operation.In) => "an add has a number or text in \"in\"",
        OperationKind.Append when !IsScalar(operation.In) => "an append has a number or text in \"in\"",
        OperationKind.Cas when operation.In is not { Kind: ValueKind.List, Items: [var expected, var next] } || !(expected.IsNull || IsScalar(expected)) || !IsScalar(next)
            => "a cas has [expected, new] in \"in\"",
        OperationKind.Transfer when !IsTransfer(operation.In) => "a transfer has {\"from\", \"to\", \"amount\"} in \"in\", with a positive amount",
        OperationKind.Txn when !IsTransaction(operation.In, isOut: false) => "a txn has a list of [\"append\", key, element] and [\"r\", key, null] in \"in\"",
        OperationKind.Txn when operation.Type == OperationType.Ok && !(IsTransaction(operation.Out, isOut: true) && operation.Out.Items.Length == operation.In.Items.Length)
            => "a txn that is ok has what \"in\" has in \"out\" too, with the elements of each list that was read",
        _ => null,
    };

    private static bool IsScalar(Value value) => value.Kind is ValueKind.Number or ValueKind.Text;

    private static bool IsTransfer(Value value)
        => value.Kind == ValueKind.Map
            && value.Entries.TryGetValue("from", out var from) && from.Kind == ValueKind.Text
            && value.Entries.TryGetValue("to", out var to) && to.Kind == ValueKind.Text
            && value.Entries.TryGetValue("amount", out var amount) && amount.Kind == ValueKind.Number && amount.Number > 0;

    private static bool IsTransaction(Value value, bool isOut)
    {
        if (value.Kind != ValueKind.List)
            return false;
        foreach (var step in value.Items)
        {
            if (step is not { Kind: ValueKind.List, Items: [{ Kind: ValueKind.Text } verb, { Kind: ValueKind.Text }, var third] })
                return false;
            var isFit = verb.Text switch
            {
                "append" => IsScalar(third),
                "r" => isOut ? third.IsNull || (third.Kind == ValueKind.List && third.Items.All(IsScalar)) : true,
                _ => false,
            };
            if (!isFit)
                return false;
        }

        return true;
    }
}
