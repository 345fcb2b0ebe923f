using System.Runtime.InteropServices;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Execution;

/// <summary>
/// Runs compiled statements of clients within the limits of the unit: arguments in, rows out, time and size bounded. Shared by writer and
/// readers; each has its own.
/// </summary>
internal sealed class StatementExecutor(StatementAuthorizer authorizer, TimeLimit time, ReplicaDatabaseOptions options)
{
    private const int ValueOverheadBytes = 8;

    private static readonly string[] ParameterPrefixes = ["", ":", "@", "$"];

    /// <summary>What a statement ends with that gives way to others. No client sees it: its unit is run again.</summary>
    internal static readonly SqlError GivesWay = new(RefusedException.QueryTimeout, "The statement gives way to others.");

    private long _rowsLeft;
    private long _bytesLeft;

    /// <inheritdoc cref="TimeLimit.MustYield"/>
    internal bool MustYield => time.MustYield();

    /// <summary>Begins a unit: its answer may have the full size.</summary>
    internal void BeginUnit() => (_rowsLeft, _bytesLeft) = (options.MaxResultRows, options.MaxResultBytes);

    internal static void Bind(SqliteStatement statement, IReadOnlyList<SqlArgument> list)
    {
        var arguments = list switch
        {
            SqlArgument[] array => array,
            List<SqlArgument> items => CollectionsMarshal.AsSpan(items),
            _ => list.ToArray().AsSpan(),
        };
        foreach (ref readonly var argument in arguments)
        {
            if (argument.Name is not null)
            {
                BindWithNames(statement, arguments);
                return;
            }
        }

        // SQLite would take NULL for each that is missing, and a forgotten argument would quietly become data.
        if (arguments.Length != statement.ParameterCount)
            throw WrongCount(statement, arguments.Length);
        var number = 0;
        foreach (ref readonly var argument in arguments)
            Bind(statement, ++number, argument.Value);
    }

    private static void Bind(SqliteStatement statement, int number, in SqlValue value)
    {
        // SQLite's own limit is that of a whole row, which is larger.
        if (value.Kind is SqlValueKind.Text or SqlValueKind.Blob && value.Bytes.Length > WireLimits.ValueBytesMax)
            throw new SqliteException(SqliteCode.TooBig, CaptureLog.ValueTooBig);
        statement.Bind(number, value);
    }

    /// <summary>The values of the parameters in the order of their numbers, of arguments that were bound.</summary>
    internal static SqlValue[] InOrder(SqliteStatement statement, IReadOnlyList<SqlArgument> arguments)
    {
        var positional = 0;
        var values = new SqlValue[statement.ParameterCount];
        foreach (var argument in arguments)
            values[(argument.Name is null ? ++positional : FindParameter(statement, argument.Name)) - 1] = argument.Value;
        return values;
    }

    /// <summary>Runs to the end, collecting rows if they are wanted, and lets go of the arguments.</summary>
    internal IReadOnlyList<SqlValue[]> Run(SqliteStatement statement, bool wantRows)
    {
        List<SqlValue[]>? rows = null;
        RefusedException? tooLarge = null;
        authorizer.SetClientRuns(true);
        time.Start();
        try
        {
            while (statement.Step())
            {
                // A statement that writes runs on to its end, so that it is undone as a whole and not left half done.
                if (!wantRows || tooLarge is not null)
                    continue;
                var row = new SqlValue[statement.ColumnCount];
                for (var i = 0; i < row.Length; i++)
                    row[i] = statement.ColumnValue(i);
                (rows ??= []).Add(row);
                tooLarge = Charge(row);
                if (tooLarge is not null && statement.IsReadOnly)
                    break;
            }
        }
        finally
        {
            time.End();
            authorizer.SetClientRuns(false);
            statement.ResetAndClear();
        }

        return tooLarge is not null ? throw tooLarge : rows ?? (IReadOnlyList<SqlValue[]>)[];
    }

    /// <summary>The next rows of a statement that is already running. Each call may take as long as a whole statement.</summary>
    /// <param name="statement">Bound; it stays as it is until it is reset.</param>
    /// <param name="rowsMax">At most so many.</param>
    /// <param name="bytesMax">No further row once the values have so many bytes.</param>
    /// <param name="wantRows">Whether rows are kept; if not, the statement runs to its end.</param>
    /// <param name="bytes">What the values have.</param>
    /// <param name="isOver">Whether that was the last row.</param>
    internal List<SqlValue[]> RunOn(SqliteStatement statement, int rowsMax, long bytesMax, bool wantRows, out long bytes, out bool isOver)
    {
        var rows = new List<SqlValue[]>();
        (bytes, isOver) = (0, false);
        authorizer.SetClientRuns(true);
        time.Start();
        try
        {
            while (rows.Count < rowsMax && bytes < bytesMax && !isOver)
            {
                isOver = !statement.Step();
                if (isOver || !wantRows)
                    continue;
                var row = new SqlValue[statement.ColumnCount];
                for (var i = 0; i < row.Length; i++)
                    row[i] = statement.ColumnValue(i);
                rows.Add(row);
                bytes += SizeOf(row);
            }
        }
        finally
        {
            time.End();
            authorizer.SetClientRuns(false);
        }

        return rows;
    }

    /// <summary>What a client is told about an exception of its statement.</summary>
    /// <exception cref="DatabaseDamagedException">It is not the statement's: SQLite found its file broken, and nothing it says can be trusted.</exception>
    internal SqlError ToError(Exception exception)
        => exception switch
        {
            RefusedException refused => refused.ToError(),
            SqliteException { Code: SqliteCode.Interrupt } when time.IsStopped => new SqlError(
                "REPLICA_RESTARTING", "The replica is being taken out of service to be rebuilt. Ask another node, or again in a moment."),
            SqliteException { Code: SqliteCode.Interrupt } when time.Yielded => GivesWay,
            SqliteException { Code: SqliteCode.Interrupt } => new SqlError(
                RefusedException.QueryTimeout,
                $"The statement ran longer than {options.StatementTimeLimit.TotalSeconds:0.###} seconds and was stopped. Make it smaller."),
            SqliteException { IsDamage: true } damage => throw DatabaseDamagedException.FoundBySqlite(damage),
            SqliteException { Code: SqliteCode.TooBig, Message: CaptureLog.ValueTooBig } large => new SqlError(large.CodeName, CaptureLog.ValueTooBigHere, large.ExtendedCodeName),
            SqliteException sqlite => new SqlError(sqlite.CodeName, sqlite.Message, sqlite.ExtendedCodeName),
            _ => throw new ArgumentException("Not an error of a statement.", nameof(exception), exception),
        };

    internal static StatementDescription Describe(CompiledStatement compiled)
        => compiled.Statement is not { } statement
            ? new StatementDescription([], [], false, true)
            : new StatementDescription(
                [.. Enumerable.Range(1, statement.ParameterCount).Select(statement.ParameterName)],
                compiled.Columns(),
                statement.IsExplain,
                compiled.IsReadOnly);

    private static void BindWithNames(SqliteStatement statement, ReadOnlySpan<SqlArgument> arguments)
    {
        var positional = 0;
        var bound = new HashSet<int>(arguments.Length);
        foreach (var argument in arguments)
        {
            var index = argument.Name is null ? ++positional : FindParameter(statement, argument.Name);
            if (index > statement.ParameterCount)
                throw WrongCount(statement, arguments.Length);
            Bind(statement, index, argument.Value);
            bound.Add(index);
        }

        if (bound.Count < statement.ParameterCount)
            throw WrongCount(statement, arguments.Length);
    }

    private RefusedException? Charge(SqlValue[] row)
    {
        _rowsLeft--;
        _bytesLeft -= SizeOf(row);
        return _rowsLeft >= 0 && _bytesLeft >= 0
            ? null
            : new RefusedException(
                RefusedException.ResponseTooLarge,
                $"The answer is larger than {options.MaxResultRows} rows or {options.MaxResultBytes} bytes. Ask for less, in pages.");
    }

    private static long SizeOf(SqlValue[] row)
    {
        var bytes = 0L;
        foreach (var value in row)
            bytes += ValueOverheadBytes + (value.Kind is SqlValueKind.Text or SqlValueKind.Blob ? value.Bytes.Length : 0);
        return bytes;
    }

    private static RefusedException WrongCount(SqliteStatement statement, int count)
        => new(
            RefusedException.InvalidArguments,
            $"The statement has {statement.ParameterCount} parameter{(statement.ParameterCount == 1 ? "" : "s")}; "
            + $"{count} argument{(count == 1 ? " was" : "s were")} given. Give each parameter one, null included.");

    private static int FindParameter(SqliteStatement statement, string name)
    {
        foreach (var prefix in ParameterPrefixes)
            if (statement.ParameterIndex(prefix + name) is var index and > 0)
                return index;
        throw new RefusedException(RefusedException.InvalidArguments, $"The statement has no parameter named \"{name}\".");
    }
}
