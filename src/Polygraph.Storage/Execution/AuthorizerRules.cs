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

/// <summary>Which entry of <see cref="RefusedSql"/> an action of a client's statement meets, if any.</summary>
internal static class AuthorizerRules
{
    /// <summary>Why the action is refused, null if it is not.</summary>
    internal static string? Denial(AuthorizerAction action, string? first, string? second, string? database, string? trigger, StatementFacts facts)
        => action switch
        {
            _ when database == "temp" && ReachesTemp(action, first, facts) => RefusedSql.TempObjects.Message,
            // DROP TABLE takes the table's capture triggers with it; nobody else may.
            AuthorizerAction.DropTempTrigger when facts.ChangesSchema && SqlName.IsOwn(first ?? "") => null,
            AuthorizerAction.Attach or AuthorizerAction.Detach => RefusedSql.OtherFiles.Message,
            AuthorizerAction.CreateTempIndex or AuthorizerAction.CreateTempTable or AuthorizerAction.CreateTempTrigger
                or AuthorizerAction.CreateTempView or AuthorizerAction.DropTempIndex or AuthorizerAction.DropTempTable
                or AuthorizerAction.DropTempTrigger or AuthorizerAction.DropTempView
                => RefusedSql.TempObjects.Message,
            AuthorizerAction.CreateVirtualTable when !VirtualTable.IsKnownModule(second ?? "")
                => RefusedSql.UnknownModule.MessageFor(second ?? ""),
            AuthorizerAction.Pragma => PragmaRules.Denial((first ?? "").ToLowerInvariant(), second),
            AuthorizerAction.Savepoint => NameDenial(second),
            AuthorizerAction.Function => FunctionDenial(second ?? "", trigger),
            AuthorizerAction.Insert or AuthorizerAction.Update or AuthorizerAction.Delete => WriteDenial(first ?? ""),
            // ANALYZE and REINDEX go through every table, and change no row.
            AuthorizerAction.Analyze or AuthorizerAction.Reindex => null,
            _ when IsSchemaChange(action) || action == AuthorizerAction.AlterTable => NameDenial(first) ?? NameDenial(second),
            _ => null,
        };

    /// <summary>
    /// Whether a client's statement would make, change or set something in the connection's own database. SQLite calls <c>CREATE TABLE temp.x</c> by the
    /// same name as a table of the replicated database, and then takes it for the other wherever that is named. Dropping or altering a table changes the list of
    /// our capture triggers there.
    /// </summary>
    private static bool ReachesTemp(AuthorizerAction action, string? first, StatementFacts facts)
        => action is AuthorizerAction.Insert or AuthorizerAction.Update or AuthorizerAction.Delete
            ? !(first is "sqlite_temp_master" or "sqlite_temp_schema" && (facts.ChangesSchema || facts.FirstWord == "ALTER"))
            : action is AuthorizerAction.Pragma or AuthorizerAction.AlterTable || (IsSchemaChange(action) && action != AuthorizerAction.Reindex);

    internal static bool IsSchemaChange(AuthorizerAction action)
        => action is AuthorizerAction.CreateIndex or AuthorizerAction.CreateTable or AuthorizerAction.CreateTrigger
            or AuthorizerAction.CreateView or AuthorizerAction.DropIndex or AuthorizerAction.DropTable or AuthorizerAction.DropTrigger
            or AuthorizerAction.DropView or AuthorizerAction.Reindex or AuthorizerAction.Analyze
            or AuthorizerAction.CreateVirtualTable or AuthorizerAction.DropVirtualTable;

    private static string? FunctionDenial(string function, string? trigger)
    {
        if (function.Equals("load_extension", StringComparison.OrdinalIgnoreCase))
            return RefusedSql.LoadExtension.Message;
        if (function.Equals("fts3_tokenizer", StringComparison.OrdinalIgnoreCase))
            return RefusedSql.Tokenizers.Message;
        return function.Equals(CaptureFunction.Name, StringComparison.OrdinalIgnoreCase) && (trigger is null || !SqlName.IsOwn(trigger))
            ? RefusedSql.InternalFunction.MessageFor(CaptureFunction.Name)
            : null;
    }

    private static string? NameDenial(string? name)
        => name is not null && SqlName.IsOwn(name) ? RefusedSql.ReservedName.MessageFor(name) : null;

    private static string? WriteDenial(string table)
        => SqlName.IsOwn(table) ? RefusedSql.OwnTable.MessageFor(table) : null;
}
