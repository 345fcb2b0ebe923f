using Polygraph.Storage.Capture;

namespace Polygraph.Storage.Execution;

/// <summary>The action codes of <c>sqlite3_set_authorizer</c>.</summary>
internal enum AuthorizerAction
{
    CreateIndex = 1,
    CreateTable = 2,
    CreateTempIndex = 3,
    CreateTempTable = 4,
    CreateTempTrigger = 5,
    CreateTempView = 6,
    CreateTrigger = 7,
    CreateView = 8,
    Delete = 9,
    DropIndex = 10,
    DropTable = 11,
    DropTempIndex = 12,
    DropTempTable = 13,
    DropTempTrigger = 14,
    DropTempView = 15,
    DropTrigger = 16,
    DropView = 17,
    Insert = 18,
    Pragma = 19,
    Read = 20,
    Select = 21,
    Transaction = 22,
    Update = 23,
    Attach = 24,
    Detach = 25,
    AlterTable = 26,
    Reindex = 27,
    Analyze = 28,
    CreateVirtualTable = 29,
    DropVirtualTable = 30,
    Function = 31,
    Savepoint = 32,
    Recursive = 33,
}

/// <summary>The authorizer's answers besides "yes".</summary>
internal static class AuthorizerAnswer
{
    internal const int Deny = 1;
}

/// <summary>One table: what a client's statement may not do, and why.</summary>
internal static class AuthorizerRules
{
    /// <summary>Why the action is refused, null if it is not.</summary>
    internal static string? Denial(AuthorizerAction action, string? first, string? second, string? trigger, StatementFacts facts)
        => action switch
        {
            // DROP TABLE takes the table's capture triggers with it; nobody else may.
            AuthorizerAction.DropTempTrigger when facts.ChangesSchema && SqlName.IsOwn(first ?? "") => null,
            AuthorizerAction.Attach or AuthorizerAction.Detach when facts.FirstWord == "VACUUM" => "VACUUM is not supported yet.",
            AuthorizerAction.Attach or AuthorizerAction.Detach => "ATTACH and DETACH are not available: a database is replicated alone.",
            AuthorizerAction.CreateTempIndex or AuthorizerAction.CreateTempTable or AuthorizerAction.CreateTempTrigger
                or AuthorizerAction.CreateTempView or AuthorizerAction.DropTempIndex or AuthorizerAction.DropTempTable
                or AuthorizerAction.DropTempTrigger or AuthorizerAction.DropTempView
                => "TEMP objects are not available: the connection is shared and replicas do not have them.",
            AuthorizerAction.CreateVirtualTable when !VirtualTable.IsKnownModule(second ?? "")
                => $"The virtual table module \"{second}\" cannot be replicated. Those that can: {string.Join(", ", VirtualTable.Modules)}.",
            AuthorizerAction.Pragma => PragmaRules.Denial((first ?? "").ToLowerInvariant(), second),
            AuthorizerAction.Savepoint when SqlName.IsOwn(second ?? "")
                => $"Savepoint names that begin with {SqlName.OwnPrefix} are reserved. Choose another name.",
            AuthorizerAction.Function => FunctionDenial(second ?? "", trigger),
            AuthorizerAction.Insert or AuthorizerAction.Update or AuthorizerAction.Delete => WriteDenial(first ?? ""),
            // ANALYZE and REINDEX go through every table, and change no row.
            AuthorizerAction.Analyze or AuthorizerAction.Reindex => null,
            _ when IsSchemaChange(action) || action == AuthorizerAction.AlterTable => NameDenial(first) ?? NameDenial(second),
            _ => null,
        };

    internal static bool IsSchemaChange(AuthorizerAction action)
        => action is AuthorizerAction.CreateIndex or AuthorizerAction.CreateTable or AuthorizerAction.CreateTrigger
            or AuthorizerAction.CreateView or AuthorizerAction.DropIndex or AuthorizerAction.DropTable or AuthorizerAction.DropTrigger
            or AuthorizerAction.DropView or AuthorizerAction.Reindex or AuthorizerAction.Analyze
            or AuthorizerAction.CreateVirtualTable or AuthorizerAction.DropVirtualTable;

    private static string? FunctionDenial(string function, string? trigger)
    {
        if (function.Equals("load_extension", StringComparison.OrdinalIgnoreCase))
            return "load_extension() is not available.";
        return function.Equals(CaptureFunction.Name, StringComparison.OrdinalIgnoreCase) && (trigger is null || !SqlName.IsOwn(trigger))
            ? $"{CaptureFunction.Name}() is internal."
            : null;
    }

    private static string? NameDenial(string? name)
        => name is not null && SqlName.IsOwn(name) ? $"Names that begin with {SqlName.OwnPrefix} are reserved. Choose another name." : null;

    private static string? WriteDenial(string table)
        => SqlName.IsOwn(table) ? $"The table \"{table}\" is kept by Polygraph; it can be read, not written." : null;
}
