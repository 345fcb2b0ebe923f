using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Sqlite;

public sealed class SqliteLibraryTests
{
    [Fact]
    public void The_library_tells_what_it_is()
    {
        Assert.True(SqliteLibrary.VersionNumber >= SqliteLibrary.OldestVersionNumber);
        Assert.StartsWith("3.", SqliteLibrary.Version);
        Assert.StartsWith("20", SqliteLibrary.SourceId);
        Assert.Contains("THREADSAFE=1", SqliteLibrary.CompileOptions);
        var wanted = Environment.GetEnvironmentVariable("POLYGRAPH_SQLITE");
        if (!string.IsNullOrEmpty(wanted))
            Assert.Equal(wanted, SqliteLibrary.Origin);
    }

    [Theory]
    [InlineData(19, "SQLITE_CONSTRAINT", null)]
    [InlineData(2067, "SQLITE_CONSTRAINT", "SQLITE_CONSTRAINT_UNIQUE")]
    [InlineData(787, "SQLITE_CONSTRAINT", "SQLITE_CONSTRAINT_FOREIGNKEY")]
    [InlineData(1555, "SQLITE_CONSTRAINT", "SQLITE_CONSTRAINT_PRIMARYKEY")]
    [InlineData(1299, "SQLITE_CONSTRAINT", "SQLITE_CONSTRAINT_NOTNULL")]
    [InlineData(3338, "SQLITE_IOERR", "SQLITE_IOERR_ACCESS")]
    [InlineData(517, "SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT")]
    [InlineData(26, "SQLITE_NOTADB", null)]
    [InlineData(200, "SQLITE_200", null)]
    public void Codes_have_the_names_of_the_manual(int code, string name, string? extended)
    {
        var exception = new SqliteException(code, "text");
        Assert.Equal((name, extended), (exception.CodeName, exception.ExtendedCodeName));
    }

    [Fact]
    public void Values_go_in_and_come_out_unchanged()
    {
        using var connection = SqliteConnection.Open(":memory:", readOnly: false);
        using var statement = connection.Prepare("SELECT ?1, typeof(?1)");
        SqlValue[] values =
        [
            SqlValue.Null, SqlValue.FromInteger(long.MinValue), SqlValue.FromReal(-0.0), SqlValue.FromText(""), SqlValue.FromText("a\0b"),
            SqlValue.FromBlob(Array.Empty<byte>()), SqlValue.FromBlob(new byte[] { 0, 255 }), SqlValue.FromUtf8(new byte[] { 0xc3 }),
        ];
        foreach (var value in values)
        {
            Assert.True(statement.Bind(1, value).Step());
            Assert.Equal(value, statement.ColumnValue(0));
            Assert.Equal(value.Kind.ToString().ToLowerInvariant(), statement.ColumnText(1));
            statement.ResetAndClear();
        }
    }

    [Fact]
    public void A_connection_that_cannot_be_opened_says_which_file()
    {
        var exception = Assert.Throws<SqliteException>(() => SqliteConnection.Open("/does/not/exist.sqlite", readOnly: true));
        Assert.Equal("SQLITE_CANTOPEN", exception.CodeName);
        Assert.Contains("/does/not/exist.sqlite", exception.Message);
    }
}
