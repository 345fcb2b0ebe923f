using System.Collections.Frozen;

namespace Polygraph.Checkers.Histories;

/// <summary>The words of the format for the values of its enumerations.</summary>
internal static class Words
{
    public static readonly IReadOnlyDictionary<string, Workload> Workloads = new Dictionary<string, Workload>
    {
        ["register"] = Workload.Register,
        ["set"] = Workload.Set,
        ["session"] = Workload.Session,
        ["prefix"] = Workload.Prefix,
        ["bank"] = Workload.Bank,
        ["list-append"] = Workload.ListAppend,
    }.ToFrozenDictionary();

    public static readonly IReadOnlyDictionary<string, OperationKind> Kinds = new Dictionary<string, OperationKind>
    {
        ["read"] = OperationKind.Read,
        ["write"] = OperationKind.Write,
        ["cas"] = OperationKind.Cas,
        ["add"] = OperationKind.Add,
        ["append"] = OperationKind.Append,
        ["transfer"] = OperationKind.Transfer,
        ["txn"] = OperationKind.Txn,
    }.ToFrozenDictionary();

    public static readonly IReadOnlyDictionary<string, OperationType> Types = new Dictionary<string, OperationType>
    {
        ["ok"] = OperationType.Ok,
        ["fail"] = OperationType.Fail,
        ["info"] = OperationType.Info,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<Workload, string> WorkloadWords = Workloads.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);
    private static readonly FrozenDictionary<OperationKind, string> KindWords = Kinds.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);
    private static readonly FrozenDictionary<OperationType, string> TypeWords = Types.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    public static string Of(Workload workload) => WorkloadWords[workload];

    public static string Of(OperationKind kind) => KindWords[kind];

    public static string Of(OperationType type) => TypeWords[type];
}
