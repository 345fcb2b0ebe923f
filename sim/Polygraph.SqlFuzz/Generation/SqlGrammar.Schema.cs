using System.Globalization;

namespace Polygraph.SqlFuzz.Generation;

/// <content>Indexes, views, triggers, and changes of what is there.</content>
internal sealed partial class SqlGrammar
{
    private string? CreateIndex()
    {
        if (Model.Indexes.Count >= 8 || AnyTable() is not { } table)
            return null;
        var unique = Maybe(35, "index: UNIQUE", "UNIQUE ");
        var terms = _dice.Some(table.Columns.Take(8).ToList(), 30).Select(column => column.Quoted + _dice.Pick("", "", " DESC", " COLLATE NOCASE")).ToList();
        if (_dice.Chance(20))
        {
            Use("index: expression");
            terms[0] = _dice.Pick($"lower({_dice.Pick(table.Columns).Quoted})", $"{_dice.Pick(table.Columns).Quoted} + 1", $"typeof({_dice.Pick(table.Columns).Quoted})");
        }

        var partial = Maybe(25, "index: partial", $" WHERE {_dice.Pick(table.Columns).Quoted} {_dice.Pick("> 3", "IS NOT NULL", "<> 'a'")}");
        return $"CREATE {unique}INDEX {Q(NewName("i"))} ON {table.Quoted}({List(terms)}){partial}";
    }

    private string? CreateView()
    {
        if (Model.Views.Count >= 4 || AnyTable() is not { } table)
            return null;
        var columns = _dice.Some(table.Columns.Take(10).ToList(), 60);
        return $"CREATE VIEW {Q(NewName("v"))} AS SELECT {List(columns.Select(column => column.Quoted))} FROM {table.Quoted}{(_dice.Chance(40) ? Where(table) : "")}";
    }

    private string? CreateTrigger()
    {
        if (Model.Triggers.Count >= 10)
            return null;
        var onView = Model.Views.Count > 0 && _dice.Chance(30);
        var table = onView ? _dice.Pick(Model.Views) : AnyTable();
        if (table is null)
            return null;
        var operation = _dice.Pick("INSERT", "UPDATE", "DELETE");
        var timing = onView ? "INSTEAD OF" : _dice.Pick("BEFORE", "AFTER", "");
        Use($"trigger: {(timing.Length == 0 ? "BEFORE" : timing)} {operation}");
        var of = operation == "UPDATE" && _dice.Chance(30) ? " OF " + _dice.Pick(table.Columns).Quoted : "";
        var row = operation == "INSERT" ? "NEW." : operation == "DELETE" ? "OLD." : _dice.Pick("NEW.", "OLD.");
        var when = _dice.Chance(35) ? $" WHEN {Condition(table.Columns, row, 1)}" : "";
        var body = Enumerable.Range(0, _dice.Pick(1, 1, 1, 2)).Select(_ => TriggerStatement(table, row) + "; ");
        return $"CREATE TRIGGER {Q(NewName("x"))} {timing} {operation}{of} ON {table.Quoted}{when} BEGIN {string.Concat(body)}END".Replace("  ", " ", StringComparison.Ordinal);
    }

    private string TriggerStatement(ModelTable table, string row)
    {
        var target = AnyTable() ?? table;
        switch (_dice.Below(12))
        {
            case < 2:
                var kind = _dice.Pick("ABORT", "FAIL", "ROLLBACK", "IGNORE");
                Use($"trigger: RAISE {kind}");
                return $"SELECT RAISE({(kind == "IGNORE" ? kind : $"{kind}, 'raised'")}) WHERE {Condition(table.Columns, row, 1)}";
            case < 5 when RowidOf(table) is { } rowid:
                Use("trigger: changes its own row");
                return $"UPDATE {Or()}{table.Quoted} SET {_dice.Pick(table.Writable).Quoted} = {Expression(table.Columns, row)} WHERE {rowid} = {row}{rowid}";
            case 5 when RowidOf(table) is { } rowid:
                Use("trigger: deletes its own row");
                return $"DELETE FROM {table.Quoted} WHERE {rowid} = {row}{rowid}{(_dice.Chance(50) ? $" AND {Condition(table.Columns, "", 0)}" : "")}";
            case < 9:
                var columns = _dice.Some(target.Writable, 80);
                Use("trigger: INSERT");
                return $"INSERT {Or()}INTO {target.Quoted}({List(columns.Select(column => column.Quoted))}) VALUES ({List(columns.Select(column => IsRowid(column) ? ValueFor(column) : Expression(table.Columns, row, 1)))})";
            case 9:
                Use("trigger: UPDATE");
                return $"UPDATE {Or()}{target.Quoted} SET {_dice.Pick(target.Writable).Quoted} = {Expression(target.Columns, "", 1)} WHERE {Condition(target.Columns, "", 0)}";
            case 10:
                Use("trigger: DELETE");
                return $"DELETE FROM {target.Quoted} WHERE {_dice.Pick(target.Columns).Quoted} = {row}{_dice.Pick(table.Columns).Quoted}";
            default:
                return $"SELECT {Expression(table.Columns, row)}";
        }
    }

    private string? AlterTable()
    {
        if (AnyTable() is not { } table)
            return null;
        var column = _dice.Pick(table.Columns);
        switch (_dice.Below(8))
        {
            case 0:
                Use("alter: RENAME TO");
                return $"ALTER TABLE {table.Quoted} RENAME TO {Q(NewName("t"))}";
            case < 3:
                Use("alter: RENAME COLUMN");
                return $"ALTER TABLE {table.Quoted} RENAME COLUMN {column.Quoted} TO {Q(NewName("r"))}";
            case < 5:
                Use("alter: DROP COLUMN");
                return $"ALTER TABLE {table.Quoted} DROP COLUMN {column.Quoted}";
            default:
                Use("alter: ADD COLUMN");
                var name = Q(NewName("n"));
                return $"ALTER TABLE {table.Quoted} ADD COLUMN {name} {_dice.Pick(Types)} "
                    + _dice.Pick(
                        "", "DEFAULT 5", "NOT NULL DEFAULT 'x'", "DEFAULT NULL", $"CHECK ({name} <> 8)", $"AS ({column.Quoted} || 'v') VIRTUAL",
                        $"REFERENCES {table.Quoted}({column.Quoted}) ON DELETE CASCADE", "DEFAULT 1.5 COLLATE NOCASE", "NOT NULL");
        }
    }

    private string? Drop()
    {
        switch (_dice.Below(10))
        {
            case < 3 when Model.Triggers.Count > 0:
                return $"DROP TRIGGER {Q(_dice.Pick(Model.Triggers))}";
            case < 5 when Model.Indexes.Count > 0:
                return $"DROP INDEX {Q(_dice.Pick(Model.Indexes))}";
            case 5 when Model.Views.Count > 0:
                return $"DROP VIEW {Q(_dice.Pick(Model.Views).Name)}";
            case 6:
                return "DROP TABLE IF EXISTS " + Q("no such table" + _dice.Below(3).ToString(CultureInfo.InvariantCulture));
            default:
                Use("drop: table");
                return Model.Tables.Count > 2 && AnyTable() is { } table ? $"DROP TABLE {table.Quoted}" : null;
        }
    }

    private string? VirtualTables()
    {
        if (Model.VirtualTables.Count == 0)
            return _dice.Chance(20) ? "CREATE VIRTUAL TABLE words USING fts5(body)" : null;
        var table = Q(Model.VirtualTables[0]);
        var text = _dice.Pick("'a quick fox'", "'lazy dogs'", "'a'", "NULL", "upper('fox')");
        switch (_dice.Below(10))
        {
            case < 3:
                return $"INSERT INTO {table}(rowid, body) VALUES ({_dice.Pick("NULL", "NULL", _dice.Below(20).ToString(CultureInfo.InvariantCulture))}, {text})";
            case 3:
                return $"UPDATE {table} SET body = {text} WHERE rowid < {_dice.Below(10)}";
            case 4:
                return $"DELETE FROM {table} WHERE rowid = {_dice.Below(10)}";
            case 5 when AnyTable() is { } source && Model.Triggers.Count < 10:
                Use("trigger: writes a virtual table");
                var verb = "INSERT" + Maybe(30, "trigger: replaces in a virtual table", " OR REPLACE");
                return $"CREATE TRIGGER {Q(NewName("x"))} AFTER INSERT ON {source.Quoted} BEGIN {verb} INTO {table}(body) VALUES (NEW.{_dice.Pick(source.Columns).Quoted}); END";
            case 6 when AnyTable() is { } source && Model.Triggers.Count < 10:
                Use("trigger: writes a virtual table");
                return $"CREATE TRIGGER {Q(NewName("x"))} AFTER DELETE ON {source.Quoted} BEGIN INSERT INTO {table}(body) VALUES (OLD.{_dice.Pick(source.Columns).Quoted}); END";
            case 7:
                Use("REPLACE INTO a virtual table");
                return $"REPLACE INTO {table}(rowid, body) VALUES ({_dice.Below(20)}, {text})";
            default:
                return $"SELECT rowid, body FROM {table} WHERE {table} MATCH {_dice.Pick("'fox'", "'a*'", "'dogs OR quick'")} ORDER BY rowid";
        }
    }

    /// <summary>Where rowids could change it is refused, and the database ends: seldom.</summary>
    private string? Vacuum()
        => _options.Atomic || Model.Tables.Any(table => table.HasRowid && !table.Columns.Any(IsRowid)) ? null : "VACUUM";

    private string Maintain()
        => _dice.Below(5) switch
        {
            0 => "REINDEX",
            1 => "ANALYZE",
            2 when AnyTable() is { } table => $"ANALYZE {table.Quoted}",
            3 when AnyTable() is { } table => $"REINDEX {table.Quoted}",
            _ => "REINDEX NOCASE",
        };
}
