using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Execution;

/// <summary>We, not SQLite, refuse a statement. Caught where statements run and turned into an error value.</summary>
internal sealed class RefusedException(string code, string message) : Exception(message)
{
    internal const string NotAllowed = "NOT_ALLOWED";
    internal const string ResponseTooLarge = "RESPONSE_TOO_LARGE";
    internal const string TransactionTooLarge = "TRANSACTION_TOO_LARGE";
    internal const string QueryTimeout = "QUERY_TIMEOUT";
    internal const string InteractiveTransaction = "TRANSACTION_INTERACTIVE";
    internal const string InvalidArguments = "ARGS_INVALID";
    internal const string ManyStatements = "SQL_MANY_STATEMENTS";
    internal const string NoStatement = "SQL_NO_STATEMENT";
    internal const string ReadOnly = "SQLITE_READONLY";
    internal const string KeyExpired = "IDEMPOTENCY_KEY_EXPIRED";
    internal const string BatchConditionInvalid = "BATCH_COND_BAD";

    /// <summary>A statement that writes, in a transaction that was begun to read.</summary>
    internal static RefusedException InReadOnlyTransaction()
        => new(ReadOnly, "This transaction was begun READONLY; the statement would write. Begin it IMMEDIATE or DEFERRED to write in it.");

    internal SqlError ToError() => new(code, Message);
}
