using System.Globalization;

namespace Polygraph.SqlFuzz.Generation;

/// <content>Statements that read and write rows.</content>
internal sealed partial class SqlGrammar
{
    private string? Insert() => AnyTable() is { } table ? Insert(table, bind: true) : null;

    private string Insert(ModelTable table, bool bind)
    {
        _mayBind = bind;
        var columns = table.Writable.Count > 20 ? table.Writable.ToList() : _dice.Some(table.Writable, 85);
        var names = columns.Select(column => column.Quoted).ToList();
        var verb = "INSERT " + Or() + "INTO";
        if (verb == "INSERT INTO" && _dice.Chance(6))
        {
            Use("REPLACE INTO");
            verb = "REPLACE INTO";
        }

        var text = $"{verb} {table.Quoted}";
        if (_dice.Chance(4))
        {
            Use("insert: DEFAULT VALUES");
            return $"{text} DEFAULT VALUES{Returning(table)}";
        }

        var rowid = _dice.Chance(12) ? RowidOf(table) : null;
        if (rowid is not null)
        {
            Use("insert: rowid");
            names.Insert(0, rowid);
        }

        text += $"({List(names)}) ";
        return text + Source(table, columns, rowid is not null) + Returning(table);
    }

    private string Source(ModelTable table, List<ModelColumn> columns, bool withRowid)
    {
        if (_dice.Chance(12) && AnyTable() is { } from)
        {
            Use("insert: SELECT");
            var values = columns.Select(column => IsRowid(column) ? ValueFor(column) : Expression(from.Columns, depth: 1));
            return $"SELECT {List(withRowid ? values.Prepend("NULL") : values)} FROM {from.Quoted}{Where(from)} LIMIT {_dice.Between(1, 5)}";
        }

        if (_dice.Chance(8))
        {
            Use("insert: recursive CTE");
            var counter = new List<ModelColumn> { new("n", "", false, 0) };
            var values = columns.Select(column => IsRowid(column) ? "n" : Expression(counter, depth: 1));
            return $"WITH RECURSIVE r(n) AS (SELECT {_dice.Below(6)} UNION ALL SELECT n + 1 FROM r WHERE n < {_dice.Between(3, 9)}) "
                + $"SELECT {List(withRowid ? values.Prepend("n") : values)} FROM r";
        }

        var rows = Enumerable.Range(0, _dice.Pick(1, 1, 1, 2, 3, 5)).Select(_ =>
        {
            var values = columns.Select(column => ValueFor(column)).ToList();
            return $"({List(withRowid ? values.Prepend(_dice.Below(12).ToString(CultureInfo.InvariantCulture)) : values)})";
        });
        return "VALUES " + List(rows);
    }

    /// <summary>Whether anything but an integer would most likely fail as a datatype mismatch.</summary>
    private static bool IsRowid(ModelColumn column) => column is { KeyOrdinal: 1, Type: "INTEGER" };

    private string ValueFor(ModelColumn column)
    {
        if (IsRowid(column) && !_dice.Chance(1))
            return _dice.Chance(20) ? "NULL" : _dice.Below(12).ToString(CultureInfo.InvariantCulture);
        return column.KeyOrdinal > 0 && _dice.Chance(80) ? NotNull() : Literal();
    }

    private string? Upsert()
    {
        if (AnyTable() is not { } table || table.Columns.Count > 20)
            return null;
        _mayBind = true;
        var columns = _dice.Some(table.Writable, 90);
        var rows = Enumerable.Range(0, _dice.Between(1, 3)).Select(_ => $"({List(columns.Select(column => IsRowid(column) ? ValueFor(column) : NotNull()))})");
        var text = $"INSERT INTO {table.Quoted}({List(columns.Select(column => column.Quoted))}) VALUES {List(rows)}";
        var clauses = _dice.Chance(25) ? 2 : 1;
        if (clauses == 2)
            Use("upsert: several clauses");
        clauses = Math.Min(clauses, Math.Max(1, table.Uniques.Count));
        for (var i = 0; i < clauses; i++)
        {
            var last = i == clauses - 1;
            // Not twice the same: that is refused, because SQLite damages the table.
            var unique = table.Uniques.Count == 0 ? [] : clauses == 1 ? _dice.Pick(table.Uniques) : table.Uniques[i];
            var target = (last && _dice.Chance(30)) || unique.Count == 0 ? "" : $"({List(unique.Select(Q))})";
            var action = _dice.Chance(25)
                ? "NOTHING"
                : $"UPDATE SET {Assignments(table, "excluded.")}{(_dice.Chance(30) ? " WHERE " + Condition(table.Columns, table.Quoted + ".") : "")}";
            text += $" ON CONFLICT {target} DO {action}";
        }

        return text + Returning(table);
    }

    private string Assignments(ModelTable table, string from)
    {
        var sources = from.Length == 0 ? table.Columns : table.Writable;
        var sets = _dice.Some(table.Writable.Take(30).ToList(), 35)
            .Select(column => $"{column.Quoted} = {(IsRowid(column) && !_dice.Chance(5) ? _dice.Pick(from + column.Quoted, $"{from}{column.Quoted} + {_dice.Between(1, 9)}", ValueFor(column)) : Expression(sources, from))}").ToList();
        if (from.Length == 0 && _dice.Chance(8) && RowidOf(table) is { } rowid && !table.Columns.Any(column => column is { KeyOrdinal: 1, Type: "INTEGER" }))
        {
            Use("update: rowid");
            sets.Add($"{rowid} = {_dice.Pick($"{rowid} + {_dice.Between(1, 20)}", _dice.Below(12).ToString(CultureInfo.InvariantCulture), $"-{rowid}", $"10 - {rowid}")}");
        }

        return List(sets);
    }

    private string? Update()
    {
        if (AnyTable() is not { } table)
            return null;
        _mayBind = true;
        var with = "";
        if (_dice.Chance(6))
        {
            Use("update: CTE");
            with = $"WITH w(x) AS (SELECT {Literal()} UNION SELECT {Literal()}) ";
        }

        var text = $"{with}UPDATE {Or()}{table.Quoted} SET ";
        if (_dice.Chance(8) && AnyTable() is { } other)
        {
            Use("update: FROM");
            var sets = _dice.Some(table.Writable.Take(10).ToList(), 30).Select(column => $"{column.Quoted} = {Expression(other.Columns, "o.", 1)}");
            return $"{text}{List(sets)} FROM (SELECT * FROM {other.Quoted} ORDER BY 1 LIMIT 1) AS o{Where2(table)}{Returning(table)}";
        }

        if (with.Length > 0)
            return $"{text}{_dice.Pick(table.Writable).Quoted} = (SELECT max(x) FROM w){Where(table)}{Returning(table)}";
        return $"{text}{Assignments(table, "")}{Where(table)}{Returning(table)}";
    }

    private string Where2(ModelTable table) => " WHERE " + Condition(table.Columns, table.Quoted + ".");

    private string? Delete()
    {
        if (AnyTable() is not { } table)
            return null;
        _mayBind = true;
        var where = Where(table, 88);
        if (where.Length == 0)
            Use("delete: everything");
        return $"DELETE FROM {table.Quoted}{where}{Returning(table)}";
    }

    private string Returning(ModelTable table)
        => table.IsView ? "" : Maybe(8, "RETURNING", $" RETURNING {(_dice.Chance(50) ? "*" : Expression(table.Columns, depth: 1))}");

    private string Or()
    {
        if (!_dice.Chance(28))
            return "";
        var conflict = _dice.Pick("REPLACE", "REPLACE", "IGNORE", "FAIL", "ABORT", "ROLLBACK");
        Use("OR " + conflict);
        return $"OR {conflict} ";
    }

    private string? Select()
    {
        var sources = Model.Tables.Concat(Model.Views).ToList();
        if (sources.Count == 0)
            return null;
        _mayBind = true;
        var table = _dice.Pick(sources);
        switch (_dice.Below(8))
        {
            case < 3:
                return $"SELECT {(RowidOf(table) is { } rowid ? rowid + ", " : "")}* FROM {table.Quoted}{Where(table)}";
            case 3:
                Use("select: aggregate");
                return $"SELECT {_dice.Pick(table.Columns).Quoted}, count(*), max({_dice.Pick(table.Columns).Quoted}) FROM {table.Quoted} GROUP BY 1 ORDER BY 1";
            case 4 when sources.Count > 1:
                Use("select: join");
                var other = _dice.Pick(sources);
                return $"SELECT count(*), max(a.{_dice.Pick(table.Columns).Quoted}) FROM {table.Quoted} AS a {_dice.Pick("JOIN", "LEFT JOIN")} {other.Quoted} AS b ON a.{_dice.Pick(table.Columns).Quoted} = b.{_dice.Pick(other.Columns).Quoted}";
            case 5:
                Use("select: window");
                return $"SELECT {Expression(table.Columns)}, row_number() OVER (ORDER BY {_dice.Pick(table.Columns).Quoted}) FROM {table.Quoted}";
            default:
                return $"SELECT {Expression(table.Columns)}, {Expression(table.Columns)} FROM {table.Quoted}{Where(table)} ORDER BY 1, 2";
        }
    }

    private string? WriteView()
    {
        if (Model.Views.Count == 0)
            return null;
        var view = _dice.Pick(Model.Views);
        return _dice.Below(3) switch
        {
            0 => $"INSERT INTO {view.Quoted} VALUES ({List(view.Columns.Select(_ => Literal()))})",
            1 => $"UPDATE {view.Quoted} SET {_dice.Pick(view.Columns).Quoted} = {Expression(view.Columns)}{Where(view)}",
            _ => $"DELETE FROM {view.Quoted}{Where(view)}",
        };
    }

    private string? Sequences()
    {
        if (!Model.HasSequences)
            return null;
        var name = AnyTable() is { } table ? $"'{table.Name.Replace("'", "''")}'" : "'none'";
        return _dice.Below(7) switch
        {
            < 3 => $"UPDATE sqlite_sequence SET seq = {_dice.Pick("seq + 7", "50", "NULL", "'x'", "1.5", "0", "-3")} WHERE name = {name}",
            3 => $"DELETE FROM sqlite_sequence WHERE name = {name}",
            4 => "DELETE FROM sqlite_sequence",
            5 => $"INSERT INTO sqlite_sequence VALUES ({_dice.Pick(name, "'no table'", "NULL", "7")}, {_dice.Pick("99", "'12'", "NULL", "2.5")})",
            // Its rows have no order of their own: a batch that is done again writes them once, in that of the entry.
            _ => "SELECT * FROM sqlite_sequence ORDER BY name, seq",
        };
    }

    private string? Pragma()
        => _dice.Below(12) switch
        {
            0 or 1 => $"PRAGMA user_version = {_dice.Between(-5, 1000)}",
            2 => $"PRAGMA application_id = {_dice.Between(0, 100000)}",
            3 => $"PRAGMA foreign_keys = {_dice.Pick("OFF", "ON")}",
            4 or 5 => $"PRAGMA defer_foreign_keys = {_dice.Pick("ON", "ON", "OFF")}",
            6 => "PRAGMA foreign_key_check",
            7 => "PRAGMA user_version",
            8 => "PRAGMA recursive_triggers",
            9 when AnyTable() is { } table => $"PRAGMA table_xinfo({table.Quoted})",
            10 => "PRAGMA foreign_keys",
            _ => "PRAGMA application_id",
        };
}
