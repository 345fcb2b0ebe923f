using System.Collections;
using System.Reflection;
using Polygraph.Wire.Sql;

namespace Polygraph.Wire.Tests.Peers;

/// <summary>
/// A value written out with everything in it. Records compare their lists and memories by reference; two values with the same shape say the same.
/// </summary>
internal static class Shape
{
    public static string Of(object? value)
        => value switch
        {
            null => "null",
            string text => $"\"{text}\"",
            ReadOnlyMemory<byte> memory => Convert.ToHexString(memory.Span),
            SqlValue sql => $"{sql.Kind}:{(sql.Kind is SqlValueKind.Text or SqlValueKind.Blob ? Convert.ToHexString(sql.Bytes.Span) : RealBits(sql))}",
            TimeSpan duration => $"{duration.Ticks}",
            IEnumerable items => "[" + string.Join(", ", items.Cast<object?>().Select(Of)) + "]",
            _ when value.GetType().IsPrimitive || value.GetType().IsEnum || value is UInt128 => value.ToString()!,
            _ => value.GetType().Name + "(" + string.Join(", ", Members(value).Select(member => $"{member.Name}={Of(member.GetValue(value))}")) + ")",
        };

    private static string RealBits(SqlValue value)
        => value.Kind == SqlValueKind.Real ? BitConverter.DoubleToInt64Bits(value.Real).ToString("x") : value.ToString();

    private static IEnumerable<PropertyInfo> Members(object value)
        => value.GetType()
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetIndexParameters().Length == 0 && property.GetMethod is not null)
            .Where(property => property.DeclaringType!.GetConstructors().Any(c => c.GetParameters().Any(p => p.Name == property.Name)));
}
