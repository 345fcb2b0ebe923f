using System.Text.RegularExpressions;
using Polygraph.SqlFuzz.Running;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Generation;

/// <summary>What a grammar may draw.</summary>
/// <param name="IsDeterministic">Without chance and time, so that two databases that start the same stay the same.</param>
/// <param name="Atomic">Atomic units only: those are what a plain HTTP request can be.</param>
internal readonly record struct GrammarOptions(bool IsDeterministic, bool Atomic = false);

/// <summary>
/// Draws SQL for the database as it is now: mostly statements that succeed, some that fail, with keys from a small range so that they collide.
/// Each production notes what it covers.
/// </summary>
internal sealed partial class SqlGrammar
{
    private readonly Dice _dice;
    private readonly GrammarOptions _options;
    private readonly (int Weight, string Name, Func<string?> Draw)[] _productions;
    private readonly int _weights;
    private readonly List<SqlArgument> _arguments = [];
    private HashSet<string> _features = [];
    private int _names;
    private bool _mayBind;

    public SqlGrammar(Dice dice, SchemaModel model, GrammarOptions options)
    {
        (_dice, Model, _options) = (dice, model, options);
        _productions =
        [
            (4, "create table", CreateTable), (1, "create table as", CreateTableAs), (3, "create index", CreateIndex), (2, "create view", CreateView),
            (5, "create trigger", CreateTrigger), (4, "alter table", AlterTable), (2, "drop", Drop), (1, "reindex, analyze", Maintain),
            (26, "insert", Insert), (4, "upsert", Upsert), (20, "update", Update), (8, "delete", Delete), (10, "select", Select),
            (3, "pragma", Pragma), (2, "sqlite_sequence", Sequences), (2, "view write", WriteView),
            (2, "virtual table", VirtualTables), (1, "VACUUM", Vacuum),
        ];
        _weights = _productions.Sum(production => production.Weight);
    }

    public SchemaModel Model { get; }

    /// <summary>What the statement that was drawn last covers.</summary>
    public IReadOnlyCollection<string> Features => _features;

    /// <summary>The first statements of a database: a few tables to work on.</summary>
    public IEnumerable<SqlStatement> Beginning()
    {
        for (var tables = _dice.Between(2, 4); tables > 0; tables--)
            yield return Finish("create table", CreateTable);
    }

    /// <summary>The statements of one unit, drawn as they are asked for.</summary>
    public DrawnUnit Unit()
    {
        var mode = _options.Atomic || _dice.Chance(30) ? UnitMode.Atomic : UnitMode.Autocommit;
        return new DrawnUnit(mode, mode == UnitMode.Atomic || _dice.Chance(60) ? Statements(_dice.Between(1, 3)) : Transaction());
    }

    private IEnumerable<SqlStatement> Statements(int count)
    {
        for (; count > 0; count--)
            yield return Statement();
    }

    /// <summary>Statements with BEGIN, savepoints and whatever ends them, now and then in an order that fails.</summary>
    private IEnumerable<SqlStatement> Transaction()
    {
        if (_dice.Chance(85))
            yield return Step(_dice.Pick("BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT a", "BEGIN DEFERRED TRANSACTION"));
        for (var count = _dice.Between(1, 7); count > 0; count--)
        {
            if (_dice.Chance(30))
                yield return Step(_dice.Pick("SAVEPOINT a", "SAVEPOINT b", "RELEASE a", "RELEASE b", "ROLLBACK TO a", "ROLLBACK TO b", "SAVEPOINT \"A\""));
            if (_dice.Chance(3))
                yield return Step(_dice.Pick("ROLLBACK", "COMMIT", "BEGIN"));
            yield return Statement();
        }

        if (_dice.Chance(90))
            yield return Step(_dice.Pick("COMMIT", "COMMIT", "COMMIT", "END", "ROLLBACK", "RELEASE a"));
        if (_dice.Chance(50))
            yield return Step("COMMIT");
    }

    private SqlStatement Step(string text)
    {
        _features = ["transaction: " + text.Split(' ')[0]];
        return new SqlStatement(text, []);
    }

    private SqlStatement Statement()
    {
        while (true)
        {
            var drawn = _dice.Below(_weights);
            foreach (var (weight, name, draw) in _productions)
            {
                drawn -= weight;
                if (drawn >= 0)
                    continue;
                if (Finish(name, draw) is { Text.Length: > 0 } statement)
                    return statement;
                break;
            }
        }
    }

    private SqlStatement Finish(string name, Func<string?> draw)
    {
        _features = [name];
        _arguments.Clear();
        _mayBind = false;
        var text = draw() ?? "";
        // Some of what was drawn was not taken: the arguments of the rest are numbered anew, in their order.
        var taken = new List<SqlArgument>();
        text = Parameter().Replace(text, match =>
        {
            taken.Add(_arguments[int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)]);
            return "?";
        });
        return new SqlStatement(text, taken);
    }

    [GeneratedRegex("<<([0-9]+)>>")]
    private static partial Regex Parameter();

    private void Use(string feature) => _features.Add(feature);

    /// <summary>The text in so many of a hundred cases; then its feature is covered.</summary>
    private string Maybe(int percent, string feature, string text)
    {
        if (!_dice.Chance(percent))
            return "";
        Use(feature);
        return text;
    }

    private string NewName(string prefix)
    {
        var number = _names++;
        return _dice.Below(12) switch
        {
            0 => $"{prefix} {number}",
            1 => $"{prefix}\"{number}",
            2 => $"ñ表{prefix}{number}",
            3 => $"{prefix}'{number}[x]",
            _ => $"{prefix}{number}",
        };
    }

    private ModelTable? AnyTable() => Model.Tables.Count == 0 ? null : _dice.Pick(Model.Tables);

    private static string List(IEnumerable<string> parts) => string.Join(", ", parts);

    private static string Q(string name) => SchemaModel.Quote(name);
}
