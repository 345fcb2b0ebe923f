using System.Globalization;
using System.Text;

namespace Polygraph.Wire.Sql;

/// <summary>SQLite's five storage classes, with SQLite's own numbers.</summary>
public enum SqlValueKind : byte
{
    Integer = 1,
    Real = 2,
    Text = 3,
    Blob = 4,
    Null = 5,
}

/// <summary>
/// One SQL value. Text is kept as the bytes that SQLite holds, because SQLite does not promise that they are valid UTF-8 and a replica
/// must not change them.
/// </summary>
public readonly struct SqlValue : IEquatable<SqlValue>
{
    private readonly SqlValueKind _kind;
    private readonly long _bits;
    private readonly ReadOnlyMemory<byte> _bytes;

    private SqlValue(SqlValueKind kind, long bits, ReadOnlyMemory<byte> bytes)
    {
        _kind = kind;
        _bits = bits;
        _bytes = bytes;
    }

    public static SqlValue Null => default;

    /// <summary>The storage class; a default value is <see cref="SqlValueKind.Null"/>.</summary>
    public SqlValueKind Kind => _kind == 0 ? SqlValueKind.Null : _kind;

    public bool IsNull => Kind == SqlValueKind.Null;

    public static SqlValue FromInteger(long value) => new(SqlValueKind.Integer, value, default);

    public static SqlValue FromReal(double value) => new(SqlValueKind.Real, BitConverter.DoubleToInt64Bits(value), default);

    public static SqlValue FromText(string value) => new(SqlValueKind.Text, 0, Encoding.UTF8.GetBytes(value));

    /// <summary>Text as SQLite holds it. The memory must not change afterwards.</summary>
    public static SqlValue FromUtf8(ReadOnlyMemory<byte> value) => new(SqlValueKind.Text, 0, value);

    /// <summary>A blob. The memory must not change afterwards.</summary>
    public static SqlValue FromBlob(ReadOnlyMemory<byte> value) => new(SqlValueKind.Blob, 0, value);

    /// <summary>The integer; only for <see cref="SqlValueKind.Integer"/>.</summary>
    public long Integer => Kind == SqlValueKind.Integer ? _bits : throw WrongKind(SqlValueKind.Integer);

    /// <summary>The floating-point number; only for <see cref="SqlValueKind.Real"/>.</summary>
    public double Real => Kind == SqlValueKind.Real ? BitConverter.Int64BitsToDouble(_bits) : throw WrongKind(SqlValueKind.Real);

    /// <summary>The bytes of a text or a blob.</summary>
    public ReadOnlyMemory<byte> Bytes
        => Kind is SqlValueKind.Text or SqlValueKind.Blob ? _bytes : throw WrongKind(SqlValueKind.Blob);

    /// <summary>The text as a string; bytes that are not UTF-8 become U+FFFD.</summary>
    public string Text => Kind == SqlValueKind.Text ? Encoding.UTF8.GetString(_bytes.Span) : throw WrongKind(SqlValueKind.Text);

    /// <summary>Equal in storage class and bits: 1 and 1.0 differ, 0.0 and −0.0 differ.</summary>
    public bool Equals(SqlValue other)
        => Kind == other.Kind && _bits == other._bits && _bytes.Span.SequenceEqual(other._bytes.Span);

    public override bool Equals(object? obj) => obj is SqlValue other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Kind, _bits, _bytes.Length);

    public static bool operator ==(SqlValue left, SqlValue right) => left.Equals(right);

    public static bool operator !=(SqlValue left, SqlValue right) => !left.Equals(right);

    public override string ToString()
        => Kind switch
        {
            SqlValueKind.Integer => _bits.ToString(CultureInfo.InvariantCulture),
            SqlValueKind.Real => Real.ToString("R", CultureInfo.InvariantCulture),
            SqlValueKind.Text => Text,
            SqlValueKind.Blob => "x'" + Convert.ToHexString(_bytes.Span) + "'",
            _ => "NULL",
        };

    private InvalidOperationException WrongKind(SqlValueKind wanted) => new($"The value is {Kind}, not {wanted}.");
}
