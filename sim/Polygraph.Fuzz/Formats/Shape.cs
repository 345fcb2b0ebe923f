using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Text;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Fuzz.Formats;

/// <summary>
/// A value written out with everything in it. Records compare their lists and memories by reference; two values with the same shape say the same.
/// </summary>
internal static class Shape
{
    private static readonly ConcurrentDictionary<Type, PropertyInfo[]> Members = new();

    public static string Of(object? value)
    {
        var text = new StringBuilder();
        Write(text, value);
        return text.ToString();
    }

    private static void Write(StringBuilder text, object? value)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case string own:
                text.Append('"').Append(own).Append('"');
                break;
            case ReadOnlyMemory<byte> memory:
                text.Append(Convert.ToHexString(memory.Span));
                break;
            case byte[] bytes:
                text.Append(Convert.ToHexString(bytes));
                break;
            case SqlValue sql:
                text.Append(sql.Kind).Append(':').Append(sql.Kind == SqlValueKind.Real ? BitConverter.DoubleToInt64Bits(sql.Real).ToString("x", CultureInfo.InvariantCulture)
                    : sql.Kind == SqlValueKind.Text ? Convert.ToHexString(sql.Bytes.Span) : sql.ToString());
                break;
            case Checkers.Histories.Value told:
                text.Append(told.ToString());
                break;
            case System.Text.Json.JsonElement json:
                text.Append(json.GetRawText());
                break;
            case TermHistory terms:
                Write(text, terms.Starts);
                break;
            case IDictionary map:
                foreach (DictionaryEntry entry in map)
                    text.Append(entry.Key).Append("->").Append(Of(entry.Value)).Append(' ');
                break;
            case IEnumerable items:
                text.Append('[');
                foreach (var item in items)
                {
                    Write(text, item);
                    text.Append(", ");
                }

                text.Append(']');
                break;
            case ReadOnlyMemory<SqlValue> values:
                Write(text, values.ToArray());
                break;
            default:
                WriteMembers(text, value);
                break;
        }
    }

    private static void WriteMembers(StringBuilder text, object value)
    {
        var type = value.GetType();
        var members = Members.GetOrAdd(
            type, of => of.IsPrimitive || of.IsEnum || of.Namespace is "System" || of.Namespace?.StartsWith("System.", StringComparison.Ordinal) == true
                ? []
                : [.. of.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(member => member.CanWrite && member.GetIndexParameters().Length == 0)]);
        if (members.Length == 0)
        {
            text.Append(type.Name).Append(' ').Append(value is IFormattable number ? number.ToString(null, CultureInfo.InvariantCulture) : value.ToString());
            return;
        }

        text.Append(type.Name).Append('(');
        foreach (var member in members)
        {
            text.Append(member.Name).Append('=');
            Write(text, member.GetValue(value));
            text.Append(", ");
        }

        text.Append(')');
    }
}
