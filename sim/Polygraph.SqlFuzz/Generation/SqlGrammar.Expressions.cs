using System.Globalization;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Generation;

/// <content>Values and expressions.</content>
internal sealed partial class SqlGrammar
{
    private static readonly string[] OddValues =
    [
        "9223372036854775807", "-9223372036854775808", "9e999", "-9e999", "1e300", "4.9e-324", "9007199254740993.0", "x''", "x'00ff'", "''",
        "CAST(x'fffe80' AS TEXT)", "CAST(x'610062' AS TEXT)", "'1e3'", "' 12 '", "'0x10'", "'12abc'", "zeroblob(300)", "5.0", "'5'", "'-0.0'", "0.1 + 0.2",
        "'{\"a\": [1, {\"b\": 2.50}]}'", "'null'", "TRUE", "9223372036854775808",
    ];

    private static readonly SqlValue[] OddArguments =
    [
        SqlValue.FromReal(-0.0), SqlValue.FromReal(double.PositiveInfinity), SqlValue.FromReal(double.NegativeInfinity), SqlValue.FromReal(double.NaN),
        SqlValue.FromUtf8(new byte[] { 0xff, 0xfe, 0x80 }), SqlValue.FromText("a\0b"), SqlValue.FromBlob(Array.Empty<byte>()), SqlValue.FromText(""),
        SqlValue.FromReal(5.0), SqlValue.FromInteger(long.MinValue), SqlValue.FromReal(9.2233720368547758E18), SqlValue.FromBlob(new byte[20_000]),
        SqlValue.FromReal(double.Epsilon), SqlValue.FromText(new string('x', 5_000)), SqlValue.Null,
    ];

    /// <summary>A literal, mostly of the few that collide.</summary>
    private string Literal()
    {
        switch (_dice.Below(24))
        {
            case < 11:
                return _dice.Below(10).ToString(CultureInfo.InvariantCulture);
            case < 15:
                return _dice.Pick("'a'", "'A'", "'b'", "'b  '", "'c'", "'B '");
            case < 17:
                return _dice.Pick("0.5", "1.5", "-1", "2.0", "0.0");
            case < 19:
                return "NULL";
            case < 21 when _mayBind:
                Use("value: bound");
                _arguments.Add(new SqlArgument(null, _dice.Chance(60) ? _dice.Pick(OddArguments) : SqlValue.FromInteger(_dice.Below(10))));
                return string.Create(CultureInfo.InvariantCulture, $"<<{_arguments.Count - 1}>>");
            case 21:
                Use("value: odd");
                return _dice.Pick(OddValues);
            default:
                return _dice.Below(40).ToString(CultureInfo.InvariantCulture);
        }
    }

    private string NotNull() => _dice.Chance(70) ? _dice.Below(12).ToString(CultureInfo.InvariantCulture) : _dice.Pick("'a'", "'b'", "'C'", "1.5", "x'01'");

    /// <summary>An expression over columns that are there under the given prefix.</summary>
    private string Expression(IReadOnlyList<ModelColumn> columns, string prefix = "", int depth = 2)
    {
        if (depth == 0 || _dice.Chance(40))
            return columns.Count == 0 || _dice.Chance(45) ? Literal() : prefix + _dice.Pick(columns).Quoted;
        switch (_dice.Below(17))
        {
            case < 5:
                return $"({Inner()} {_dice.Pick("+", "-", "*", "||", "%", "/", "&", "|", "<<")} {Inner()})";
            case 5:
                return $"{_dice.Pick("abs", "length", "typeof", "upper", "hex", "quote", "round", "trim", "unicode")}({Inner()})";
            case 6:
                return $"coalesce({Inner()}, {Inner()})";
            case 7:
                return $"CASE WHEN {Condition(columns, prefix, depth - 1)} THEN {Inner()} ELSE {Inner()} END";
            case 8:
                return $"CAST({Inner()} AS {_dice.Pick("TEXT", "INTEGER", "REAL", "BLOB", "NUMERIC")})";
            case 9:
                return $"({Condition(columns, prefix, depth - 1)})";
            case 10:
                Use("expression: JSON");
                return _dice.Pick($"json_array({Inner()}, 1)", $"json_quote({Inner()})", $"('{{\"a\": [1, 2]}}' -> {Inner()})", $"json_extract('[1, 2, 3]', '$[' || {Inner()} || ']')", $"json_valid({Inner()})");
            case 11:
                Use("expression: math");
                return _dice.Pick($"sqrt({Inner()})", $"pow({Inner()}, 2)", $"ceil({Inner()})", $"ln({Inner()})", $"sign({Inner()})");
            case 12 when AnyTable() is { } table:
                Use("expression: scalar subquery");
                return $"(SELECT {_dice.Pick("count(*)", $"max({_dice.Pick(table.Columns).Quoted})", $"min({_dice.Pick(table.Columns).Quoted})")} FROM {table.Quoted})";
            case 13 when !_options.IsDeterministic:
                Use("expression: chance or time");
                return _dice.Pick("random()", "hex(randomblob(4))", "julianday('now')", "CURRENT_TIMESTAMP", "strftime('%f', 'now')", "(random() % 5)");
            case 14:
                return $"substr({Inner()}, 1, {_dice.Between(0, 3)})";
            default:
                return Inner();
        }

        string Inner() => Expression(columns, prefix, depth - 1);
    }

    private string Condition(IReadOnlyList<ModelColumn> columns, string prefix = "", int depth = 2)
    {
        if (columns.Count == 0)
            return _dice.Pick("1", "0", "1 = 1");
        var column = prefix + _dice.Pick(columns).Quoted;
        return _dice.Below(12) switch
        {
            < 5 => $"{column} {_dice.Pick("=", "<", ">", "<>", ">=", "IS", "IS NOT")} {Literal()}",
            5 => $"{column} IN ({Literal()}, {Literal()}, {Literal()})",
            6 => $"{column} IS {_dice.Pick("NULL", "NOT NULL")}",
            7 => $"{column} BETWEEN {Literal()} AND {Literal()}",
            8 => $"{column} LIKE {_dice.Pick("'a%'", "'%1%'", "'_'")}",
            9 when depth > 0 => $"({Condition(columns, prefix, depth - 1)} {_dice.Pick("AND", "OR")} {Condition(columns, prefix, depth - 1)})",
            10 when depth > 0 => $"NOT {Condition(columns, prefix, depth - 1)}",
            _ => $"typeof({column}) {_dice.Pick("=", "<>")} {_dice.Pick("'integer'", "'text'", "'null'", "'real'")}",
        };
    }

    private string Where(ModelTable table, int percent = 85)
    {
        if (!_dice.Chance(percent))
            return "";
        if (table.HasRowid && RowidOf(table) is { } rowid && _dice.Chance(30))
            return $" WHERE {rowid} {_dice.Pick("=", "<", ">", "=")} {_dice.Below(10)}";
        return " WHERE " + Condition(table.Columns);
    }

    /// <summary>A name for the rowid that is no column's; null if there is none.</summary>
    private string? RowidOf(ModelTable table)
    {
        string[] free = [.. new[] { "rowid", "oid", "_rowid_" }.Where(name => !table.Columns.Any(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))];
        return table.HasRowid && free.Length > 0 ? _dice.Pick<string>(free.AsSpan()) : null;
    }
}
