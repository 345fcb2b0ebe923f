using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Capture;

/// <summary>The payload's format: fixed, and safe to read whatever the bytes are.</summary>
public sealed class LogicalPayloadTests
{
    private const int Mutations = 20_000;

    [Fact]
    public void The_format_is_fixed()
        => Assert.Equal(
            "01" + "01" + "0174" + "02" + "02" + "00" + "0102" + "030161"
            + "03" + "00" + "0102" + "030161" + "06" + "05" + "04" + "00" + "0102" + "05"
            + "05" + "07" + "414e414c595a45" + "06" + "0174" + "00" + "06" + "0174" + "01" + "0a"
            + "07" + "05" + "d80f" + "000102030405060708090a0b0c0d0e0f" + "0d" + "03" + "ac02" + "0166" + "0578203d203f" + "02" + "0102" + "05"
            + "08" + "00" + "02" + "0300",
            Convert.ToHexStringLower(Sample().Written));

    [Fact]
    public void What_was_written_is_read()
    {
        var reader = new LogicalPayloadReader(Sample().Written.ToArray());
        var operations = new List<(LogicalOperationKind Kind, string Text)>();
        while (reader.Read(out var operation))
            operations.Add((
                operation.Kind,
                $"{string.Join(',', operation.Before.ToArray())}>{string.Join(',', operation.After.ToArray())} {operation.Text} {operation.Sequence}{Show(operation.Statement)}"));
        Assert.Equal(
            [
                (LogicalOperationKind.Insert, ">1,a  "), (LogicalOperationKind.Update, "1,a>1,NULL  "),
                (LogicalOperationKind.Delete, "1,NULL>  "), (LogicalOperationKind.Schema, "> ANALYZE "),
                (LogicalOperationKind.Sequence, "> t "), (LogicalOperationKind.Sequence, "> t 5"),
                (LogicalOperationKind.Statement, ">  5 1004 000102030405060708090A0B0C0D0E0F -7 3 300 f x = ? 1,NULL"), (LogicalOperationKind.Vacuum, ">  "),
            ],
            operations);
        Assert.Equal([new LogicalTable("t", 2)], reader.Tables);
        Assert.Equal(new byte[] { 3, 0 }, reader.Result.ToArray());
        Assert.False(reader.Read(out _));
    }

    [Fact]
    public void Any_bytes_are_read_to_an_end_or_refused()
    {
        var random = new Random(20_240_817);
        var original = Sample().Written.ToArray();
        var refused = 0;
        for (var i = 0; i < Mutations; i++)
        {
            var bytes = original.AsSpan(0, random.Next(original.Length + 1)).ToArray();
            for (var change = random.Next(4); change > 0 && bytes.Length > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                var reader = new LogicalPayloadReader(bytes);
                while (reader.Read(out _))
                {
                }

                LogicalPayloadResult.Decode(reader.Result);
            }
            catch (LogicalPayloadException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, Mutations / 2, Mutations);
    }

    [Fact]
    public void A_size_that_the_bytes_cannot_hold_is_refused_before_memory_is_taken()
    {
        byte[] hugeImage = [1, 1, 1, (byte)'t', 0xff, 0xff, 1, 2, 0, 5];
        var before = GC.GetAllocatedBytesForCurrentThread();
        var reader = new LogicalPayloadReader(hugeImage);
        Assert.Throws<LogicalPayloadException>(() => reader.Read(out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        Assert.Throws<LogicalPayloadException>(() => LogicalPayloadResult.Decode(new byte[] { 0xff, 0xff, 0xff, 0x7f }));
    }

    [Fact]
    public void A_result_keeps_counts_and_errors_and_is_bounded()
    {
        var result = new UnitResult(
        [
            new StepResult.Rows(new StatementResult([new SqlColumn("x", null)], [[SqlValue.Null]], 7, -1)),
            new StepResult.Failed(new SqlError("CODE", new string('m', 10_000), "CODE_MORE")),
            new StepResult.Sequence(),
        ]);
        var read = LogicalPayloadResult.Decode(LogicalPayloadResult.Encode(result));
        var rows = Assert.IsType<StepResult.Rows>(read.Steps[0]).Result;
        Assert.Equal((7L, (long?)-1L, 0), (rows.RowsAffected, rows.LastInsertRowid, rows.Rows.Count));
        Assert.Equal(("CODE", 256, "CODE_MORE"), (read.FirstError!.Code, read.FirstError.Message.Length, read.FirstError.ExtendedCode));
        var large = new UnitResult([.. Enumerable.Repeat<StepResult>(new StepResult.Rows(StatementResult.Empty), 5000)]);
        Assert.Empty(LogicalPayloadResult.Encode(large));
    }

    private static string Show(LogicalStatement? statement)
        => statement is null
            ? ""
            : $"{(byte)statement.Flags} {statement.TimeMilliseconds} {Convert.ToHexString(statement.Seed.Span)} {statement.LastInsertRowid} "
                + $"{statement.Changes} {statement.TotalChanges} {statement.Table} {statement.Sql} {string.Join(',', statement.Arguments.ToArray())}";

    private static LogicalPayloadWriter Sample()
    {
        var writer = new LogicalPayloadWriter();
        writer.WriteVersion();
        writer.WriteTable("t", 2);
        writer.WriteRowOperation(LogicalOperationKind.Insert, 0);
        writer.WriteInteger(1);
        writer.WriteValue(SqlValue.FromText("a"));
        writer.WriteRowOperation(LogicalOperationKind.Update, 0);
        writer.WriteInteger(1);
        writer.WriteValue(SqlValue.FromText("a"));
        writer.WriteSame();
        writer.WriteNull();
        writer.WriteRowOperation(LogicalOperationKind.Delete, 0);
        writer.WriteInteger(1);
        writer.WriteNull();
        writer.WriteSchema("ANALYZE");
        writer.WriteSequence("t", null);
        writer.WriteSequence("t", 5);
        writer.WriteStatement(new LogicalStatement
        {
            Flags = LogicalStatementFlags.ForeignKeys | LogicalStatementFlags.ReadsChanges,
            TimeMilliseconds = 1004,
            Seed = Enumerable.Range(0, LogicalStatement.SeedBytes).Select(i => (byte)i).ToArray(),
            LastInsertRowid = -7,
            Changes = 3,
            TotalChanges = 300,
            Table = "f",
            Sql = "x = ?",
            Arguments = new[] { SqlValue.FromInteger(1), SqlValue.Null },
        });
        writer.WriteVacuum();
        writer.WriteEnd([3, 0]);
        return writer;
    }
}
