using System.Globalization;

namespace Polygraph.SqlFuzz.Generation;

/// <content>CREATE TABLE and everything that can stand in it.</content>
internal sealed partial class SqlGrammar
{
    private static readonly string[] Types =
        ["", "INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "VARCHAR(10)", "INT", "BOOLEAN", "DOUBLE PRECISION", "DATE", "FLOATING POINT"];

    private static readonly string[] StrictTypes = ["INTEGER", "TEXT", "REAL", "BLOB", "ANY", "INT"];

    private static readonly string[] Conflicts = ["REPLACE", "IGNORE", "FAIL", "ABORT", "ROLLBACK"];

    private string? CreateTable()
    {
        if (Model.Tables.Count >= 9)
            return null;
        var name = NewName("t");
        var strict = _dice.Chance(6);
        var columns = ColumnNames();
        var kind = _dice.Below(12);
        var parts = new List<string>();
        var definitions = columns.Select((column, i) => Column(name, columns, i, strict)).ToList();
        var withoutRowid = false;
        switch (kind)
        {
            case < 3:
                Use("key: none");
                break;
            case < 6:
                Use("key: INTEGER PRIMARY KEY");
                definitions[0] = $"{Q(columns[0])} INTEGER PRIMARY KEY{Maybe(10, "key: DESC", " DESC")}{OnConflict(15)}";
                break;
            case < 8:
                Use("key: AUTOINCREMENT");
                definitions[0] = $"{Q(columns[0])} INTEGER PRIMARY KEY AUTOINCREMENT";
                break;
            case 8:
                Use("key: one column");
                definitions[0] += $" PRIMARY KEY{OnConflict(15)}";
                break;
            default:
                var keys = _dice.Some(columns, 30).Take(3).ToList();
                Use(keys.Count > 1 ? "key: composite" : "key: one column");
                parts.Add($"PRIMARY KEY({List(keys.Select(key => Q(key) + _dice.Pick("", "", " DESC", " COLLATE NOCASE")))}){OnConflict(15)}");
                withoutRowid = _dice.Chance(60);
                break;
        }

        parts.AddRange(TableConstraints(name, columns));
        var options = new List<string>();
        if (withoutRowid)
        {
            Use("table: WITHOUT ROWID");
            options.Add("WITHOUT ROWID");
        }

        if (strict)
        {
            Use("table: STRICT");
            options.Add("STRICT");
        }

        return $"CREATE TABLE {Maybe(10, "table: IF NOT EXISTS", "IF NOT EXISTS ")}{Q(name)}({List(definitions.Concat(parts))}) {List(options)}".TrimEnd();
    }

    private List<string> ColumnNames()
    {
        var count = _dice.Between(1, 6);
        if (_dice.Chance(3))
        {
            Use("table: over 100 columns");
            count = _dice.Chance(30) ? _dice.Between(500, 1000) : _dice.Between(101, 200);
        }

        var names = Enumerable.Range(0, count).Select(i => i == 3 ? "select" : i == 4 ? "ü \"x\"" : "c" + i.ToString(CultureInfo.InvariantCulture)).ToList();
        if (_dice.Chance(12))
        {
            Use("column: named rowid");
            var odd = _dice.Chance(15) ? 3 : 1;
            for (var i = 0; i < odd && i < names.Count; i++)
                names[^(i + 1)] = new[] { "rowid", "oid", "_rowid_" }[(i + (odd == 1 ? _dice.Below(3) : 0)) % 3];
        }

        return names;
    }

    private string Column(string table, List<string> columns, int i, bool strict)
    {
        var definition = $"{Q(columns[i])} {(strict ? _dice.Pick(StrictTypes) : _dice.Pick(Types))}".TrimEnd();
        if (i > 20)
            return definition;
        if (i > 0 && _dice.Chance(8))
        {
            var stored = _dice.Chance(50);
            Use(stored ? "column: generated stored" : "column: generated virtual");
            var others = columns.Take(i).Select(name => new ModelColumn(name, "", false, 0)).ToList();
            return $"{definition} AS ({Deterministic(others)}) {(stored ? "STORED" : "VIRTUAL")}";
        }

        definition += Maybe(8, "column: COLLATE", $" COLLATE {_dice.Pick("NOCASE", "RTRIM")}");
        if (_dice.Chance(12))
        {
            Use("column: NOT NULL");
            definition += $" NOT NULL{OnConflict(30)}";
        }

        if (_dice.Chance(14))
        {
            Use("column: UNIQUE");
            definition += $" UNIQUE{OnConflict(40)}";
        }

        if (_dice.Chance(16))
        {
            Use("column: DEFAULT");
            definition += $" DEFAULT {_dice.Pick("1", "'d'", "(abs(-2))", "(1 + 1)", "NULL", "x'aa'", "(3 || 'x')", "-1", "TRUE")}";
        }

        definition += Maybe(6, "column: CHECK", $" CHECK ({Q(columns[i])} {_dice.Pick("<> 7", "IS NOT 3", "< 30 OR 1", "NOT IN (5, 'c')")})");
        if (_dice.Chance(16))
            definition += " " + References(table, columns);
        return definition;
    }

    private string Deterministic(List<ModelColumn> columns)
    {
        var column = _dice.Pick(columns).Quoted;
        return _dice.Pick($"{column} || 'g'", $"{column} + 1", $"coalesce({column}, 0)", $"typeof({column})", $"length({column})", $"{column} % 3");
    }

    private IEnumerable<string> TableConstraints(string table, List<string> columns)
    {
        if (_dice.Chance(15))
        {
            Use("table: UNIQUE");
            yield return $"UNIQUE({List(_dice.Some(columns.Take(8).ToList(), 40).Select(Q))}){OnConflict(40)}";
        }

        if (_dice.Chance(8))
        {
            Use("table: CHECK");
            yield return $"CHECK ({Q(columns[0])} IS NOT {Q(columns[^1])} OR {Q(columns[0])} IS NULL OR 1)";
        }

        if (_dice.Chance(10))
            yield return $"FOREIGN KEY({Q(_dice.Pick(columns.Take(6).ToList()))}) {References(table, columns)}";
    }

    private string References(string table, List<string> columns)
    {
        Use("foreign key");
        var target = table;
        var parent = Q(columns[0]);
        var singles = Model.Tables.Where(each => each.Uniques.Any(unique => unique.Count == 1)).ToList();
        if (_dice.Chance(20) || singles.Count == 0)
        {
            Use("foreign key: to itself");
        }
        else if (_dice.Chance(3))
        {
            Use("foreign key: to a later table");
            target = "t" + (_names + _dice.Below(2)).ToString(CultureInfo.InvariantCulture);
            parent = "c0";
        }
        else
        {
            var other = _dice.Pick(singles);
            (target, parent) = (other.Name, Q(_dice.Pick(other.Uniques.Where(unique => unique.Count == 1).ToList())[0]));
        }

        return $"REFERENCES {Q(target)}({parent}){Action("DELETE")}{Action("UPDATE")}"
            + Maybe(30, "foreign key: deferred", " DEFERRABLE INITIALLY DEFERRED");
    }

    private string Action(string of)
    {
        if (_dice.Chance(25))
            return "";
        var action = _dice.Pick("CASCADE", "CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION");
        Use($"foreign key: {action}");
        return $" ON {of} {action}";
    }

    private string OnConflict(int percent)
    {
        if (!_dice.Chance(percent))
            return "";
        var conflict = _dice.Pick(Conflicts);
        Use("ON CONFLICT " + conflict);
        return " ON CONFLICT " + conflict;
    }

    private string? CreateTableAs()
        => Model.Tables.Count >= 9 || AnyTable() is not { } table
            ? null
            : $"CREATE TABLE {Q(NewName("t"))} AS SELECT *{(_dice.Chance(30) ? ", " + Expression(table.Columns) + " AS extra" : "")} FROM {table.Quoted}{Where(table, 60)}";
}
