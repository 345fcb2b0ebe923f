using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Reading;

public sealed class AbandonedReadTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-abandoned-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    // A client that hung up must not cost a core until the statement's time limit.
    [Fact]
    public async Task A_read_that_nobody_wants_any_more_stops()
    {
        using var database = ReplicaDatabase.Open(Path.Combine(_directory, "database.sqlite"), ReplicaDatabaseOptions.Default);
        var endless = new SqlStatement("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", []);
        var unit = new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(endless)]);
        using var client = new CancellationTokenSource();
        using var reader = database.Readers.Rent(CancellationToken.None);

        var reading = Task.Run(() => reader.Execute(unit, client.Token));
        await client.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(TimeSpan.FromSeconds(10)));
        var after = reader.Execute(new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement("SELECT 1", []))]));
        Assert.Null(after.Result.FirstError);
    }
}
