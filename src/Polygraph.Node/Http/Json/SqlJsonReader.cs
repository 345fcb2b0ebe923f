using System.Text.Json;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>
/// Reads the body of <c>POST /v1/db/{name}/sql</c>: <c>{"sql":…,"args":…}</c> or <c>{"statements":[{"sql":…,"args":…},…]}</c>. A field that
/// is not known is refused: a misspelt name must not silently change what a request means.
/// </summary>
internal static class SqlJsonReader
{
    // Object, statements, statement, args, value: five. The rest is room for a clear message about the place of a fault.
    private const int DepthMax = 8;

    /// <summary>The body as one atomic unit, or a <see cref="RequestRefusedException"/> that names the field and its place.</summary>
    public static SqlUnit Read(ReadOnlySpan<byte> body, HttpLimits limits)
    {
        var cursor = new JsonCursor(body, DepthMax);
        cursor.EnterObject("the body");
        var fields = new StatementFields();
        List<SqlStep>? steps = null;
        var statementsSeen = false;
        while (cursor.NextProperty())
        {
            if (cursor.NameIs("statements"u8))
            {
                cursor.EnterValue(ref statementsSeen);
                steps = ReadStatements(ref cursor, limits);
            }
            else
            {
                fields.Read(ref cursor, limits, "sql, args and statements");
            }
        }

        cursor.ExpectEnd();
        if (statementsSeen && fields.AnySeen)
            throw Refusals.Body("The body has both 'statements' and 'sql' or 'args': send one statement, or a list of them.");
        return new SqlUnit(UnitMode.Atomic, steps ?? [fields.ToStep(ref cursor)]);
    }

    private static List<SqlStep> ReadStatements(ref JsonCursor cursor, HttpLimits limits)
    {
        cursor.EnterArray("'statements'");
        var steps = new List<SqlStep>();
        while (cursor.NextItem())
        {
            if (steps.Count == limits.StatementsMax)
                throw cursor.Refuse($"a request has at most {limits.StatementsMax} statements");
            cursor.EnterObject("a statement");
            var fields = new StatementFields();
            while (cursor.NextProperty())
                fields.Read(ref cursor, limits, "sql and args");
            steps.Add(fields.ToStep(ref cursor));
        }

        return steps.Count > 0 ? steps : throw cursor.Refuse("'statements' is empty");
    }

    private static List<SqlArgument> ReadArguments(ref JsonCursor cursor, HttpLimits limits)
    {
        var arguments = new List<SqlArgument>();
        switch (cursor.Token)
        {
            case JsonTokenType.StartArray:
                while (cursor.NextItem())
                    Add(ref cursor, name: null);
                return arguments;
            case JsonTokenType.StartObject:
                var names = new HashSet<string>(StringComparer.Ordinal);
                while (cursor.NextProperty())
                {
                    var name = cursor.ReadString("a parameter's name");
                    if (name.Length == 0 || !names.Add(name))
                        throw cursor.Refuse(name.Length == 0 ? "a parameter's name is empty" : "this parameter stands there twice");
                    cursor.Next();
                    Add(ref cursor, name);
                }

                return arguments;
            default:
                throw cursor.Refuse($"'args' must be an array or an object, not {JsonCursor.Describe(cursor.Token)}");
        }

        void Add(ref JsonCursor at, string? name)
        {
            if (arguments.Count == limits.ArgumentsMax)
                throw at.Refuse($"a statement has at most {limits.ArgumentsMax} arguments");
            arguments.Add(new SqlArgument(name, JsonValues.Read(ref at)));
        }
    }

    /// <summary>The fields of one statement, in whichever order they come.</summary>
    private ref struct StatementFields
    {
        private string? _text;
        private List<SqlArgument>? _arguments;
        private bool _textSeen;
        private bool _argumentsSeen;

        public readonly bool AnySeen => _textSeen || _argumentsSeen;

        public void Read(ref JsonCursor cursor, HttpLimits limits, string known)
        {
            if (cursor.NameIs("sql"u8))
            {
                cursor.EnterValue(ref _textSeen);
                _text = cursor.ReadString("'sql'");
            }
            else if (cursor.NameIs("args"u8))
            {
                cursor.EnterValue(ref _argumentsSeen);
                _arguments = ReadArguments(ref cursor, limits);
            }
            else
            {
                throw cursor.Refuse($"this field is not known here; known are {known}");
            }
        }

        public readonly SqlStep ToStep(ref JsonCursor cursor)
        {
            if (_text is null)
                throw cursor.Refuse("'sql' is missing");
            return new SqlStep.Execute(new SqlStatement(_text, _arguments ?? []));
        }
    }
}
