using System.Globalization;
using System.Text.Json;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>Reads Hrana's <c>Stmt</c>. Fields that are not known are passed over, as the protocol wants for the sake of newer clients.</summary>
internal static class HranaStatementReader
{
    public static HranaStatement Read(ref JsonCursor cursor, HttpLimits limits)
    {
        cursor.EnterObject("a statement");
        var text = new TextFields();
        List<SqlArgument>? positional = null, named = null;
        var wantRows = true;
        bool positionalSeen = false, namedSeen = false, wantRowsSeen = false;
        while (cursor.NextProperty())
        {
            if (cursor.NameIs("args"u8))
            {
                cursor.EnterValue(ref positionalSeen);
                positional = ReadPositional(ref cursor, limits);
            }
            else if (cursor.NameIs("named_args"u8))
            {
                cursor.EnterValue(ref namedSeen);
                named = ReadNamed(ref cursor, limits);
            }
            else if (cursor.NameIs("want_rows"u8))
            {
                cursor.EnterValue(ref wantRowsSeen);
                wantRows = ReadBoolean(ref cursor, ifNull: true);
            }
            else if (!text.TryRead(ref cursor))
            {
                cursor.SkipValue();
            }
        }

        if (positional is { Count: > 0 } && named is { Count: > 0 })
            throw cursor.Refuse("a statement has 'args' or 'named_args', not both");
        return new HranaStatement(text.ToText(ref cursor), named is { Count: > 0 } ? named : positional ?? [], wantRows);
    }

    /// <summary>A stored text's number.</summary>
    public static int ReadId(ref JsonCursor cursor)
        => int.TryParse(cursor.Token == JsonTokenType.Number ? cursor.NumberText : default, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw cursor.Refuse("'sql_id' must be a 32-bit integer");

    private static List<SqlArgument> ReadPositional(ref JsonCursor cursor, HttpLimits limits)
    {
        var arguments = new List<SqlArgument>();
        if (cursor.Token == JsonTokenType.Null)
            return arguments;
        cursor.EnterArray("'args'");
        while (cursor.NextItem())
        {
            RefuseTooMany(ref cursor, arguments.Count, limits);
            arguments.Add(new SqlArgument(null, HranaValues.Read(ref cursor)));
        }

        return arguments;
    }

    private static List<SqlArgument> ReadNamed(ref JsonCursor cursor, HttpLimits limits)
    {
        var arguments = new List<SqlArgument>();
        if (cursor.Token == JsonTokenType.Null)
            return arguments;
        cursor.EnterArray("'named_args'");
        while (cursor.NextItem())
        {
            RefuseTooMany(ref cursor, arguments.Count, limits);
            cursor.EnterObject("a named argument");
            string? name = null;
            SqlValue? value = null;
            bool nameSeen = false, valueSeen = false;
            while (cursor.NextProperty())
            {
                if (cursor.NameIs("name"u8))
                {
                    cursor.EnterValue(ref nameSeen);
                    name = cursor.ReadString("'name'");
                }
                else if (cursor.NameIs("value"u8))
                {
                    cursor.EnterValue(ref valueSeen);
                    value = HranaValues.Read(ref cursor);
                }
                else
                {
                    cursor.SkipValue();
                }
            }

            if (string.IsNullOrEmpty(name) || value is null)
                throw cursor.Refuse("a named argument has a 'name' and a 'value'");
            arguments.Add(new SqlArgument(name, value.Value));
        }

        return arguments;
    }

    private static void RefuseTooMany(ref JsonCursor cursor, int count, HttpLimits limits)
    {
        if (count == limits.ArgumentsMax)
            throw cursor.Refuse($"a statement has at most {limits.ArgumentsMax} arguments");
    }

    private static bool ReadBoolean(ref JsonCursor cursor, bool ifNull)
        => cursor.Token switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            JsonTokenType.Null => ifNull,
            _ => throw cursor.Refuse("'want_rows' must be a boolean"),
        };

    /// <summary>The fields <c>sql</c> and <c>sql_id</c>, of which exactly one says something.</summary>
    internal ref struct TextFields
    {
        private string? _text;
        private int? _id;
        private bool _textSeen;
        private bool _idSeen;

        /// <summary>Reads the property that the cursor stands on, if it is one of the two.</summary>
        public bool TryRead(ref JsonCursor cursor)
        {
            if (cursor.NameIs("sql"u8))
            {
                cursor.EnterValue(ref _textSeen);
                _text = cursor.Token == JsonTokenType.Null ? null : cursor.ReadString("'sql'");
                return true;
            }

            if (!cursor.NameIs("sql_id"u8))
                return false;
            cursor.EnterValue(ref _idSeen);
            _id = cursor.Token == JsonTokenType.Null ? null : ReadId(ref cursor);
            return true;
        }

        public readonly HranaText ToText(ref JsonCursor cursor)
            => _text is null == _id is null
                ? throw cursor.Refuse("exactly one of 'sql' and 'sql_id' must be set")
                : new HranaText(_text, _id);

        /// <summary>Both, for the request that stores a text under a number.</summary>
        public readonly HranaRequest ToStore(ref JsonCursor cursor)
            => _text is { } text && _id is { } id
                ? new HranaRequest.StoreSql(id, text)
                : throw cursor.Refuse("'store_sql' needs 'sql_id' and 'sql'");

        public readonly HranaRequest ToCloseSql(ref JsonCursor cursor)
            => _id is { } id ? new HranaRequest.CloseSql(id) : throw cursor.Refuse("'close_sql' needs 'sql_id'");
    }
}
