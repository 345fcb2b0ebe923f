using System.Security.Cryptography;
using Polygraph.Node.Groups;
using Polygraph.Node.Libraries;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Routing;

/// <summary>How a write is served on the node that leads: run it, wait for its ack level, say what was achieved.</summary>
internal sealed class WritePath(NodeId self, SchemaTrials trials)
{
    /// <summary>Others may change the schema between a trial and the unit's turn; whoever is overtaken so often hears that the database is busy.</summary>
    private const int TrialsMax = 8;

    public async Task<SqlResponse> WriteAsync(Replica replica, SqlRequest request, SessionToken session)
    {
        if (SessionRules.IsLost(replica.View, session.PositionIn(replica.Database.Id)))
            return Failed(Problems.SessionLost(replica.Database.Name));
        var ack = request.Ack ?? replica.Database.Ack;
        var hash = HashOf(request);
        var end = await RunAsync(null).ConfigureAwait(false);
        for (var trial = 0; end.ToTry is { } plan && trial < TrialsMax; trial++)
        {
            if (await trials.RefusalAsync(plan).ConfigureAwait(false) is { } refusal)
                return Failed(refusal);
            end = await RunAsync(plan).ConfigureAwait(false);
        }

        return end.Kind switch
        {
            WriteEndKind.NotLeader => Failed(Problems.NotLeader(self)),
            WriteEndKind.Busy or WriteEndKind.MustBeTried => Failed(Problems.Busy(replica.Database.Name)),
            WriteEndKind.KeyReused => Failed(Problems.KeyReused(request.IdempotencyKey!)),
            WriteEndKind.NoEntry => WithoutEntry(request, session.With(replica.Database.Id, end.Position), end),
            _ => Decided(replica, request, session, end),
        };

        Task<WriteEnd> RunAsync(SchemaPlan? tried)
            => replica.WriteAsync(
                id => new ClientWrite(id, request.Unit, ack, request.Session, request.IdempotencyKey, hash, request.Principal) { Tried = tried });
    }

    /// <summary>Why an ack policy cannot be honoured by a group of this size.</summary>
    public static SqlProblem? Refusal(AckPolicy policy, int voters)
        => AckPolicyRules.Refusal(policy, voters) is { } reason ? Problems.Invalid("ACK_LEVEL_IMPOSSIBLE", $"The ack level cannot be honoured: {reason}.") : null;

    private SqlResponse WithoutEntry(SqlRequest request, SessionToken session, WriteEnd end)
    {
        var error = request.Unit.Mode == UnitMode.Atomic ? end.Result!.FirstError : null;
        return new SqlResponse(end.Result, null, null, session.ToString(), self, error is null ? null : Problems.Sql(error));
    }

    private SqlResponse Decided(Replica replica, SqlRequest request, SessionToken session, WriteEnd end)
    {
        var write = end.Write!;
        var token = write.Receipt is { } receipt ? session.With(replica.Database.Id, receipt.Position) : session;
        return write.Reached
            ? new SqlResponse(end.Result, write.Receipt, null, token.ToString(), self, null)
            : new SqlResponse(
                write.Outcome == Outcome.Applied ? end.Result : null, write.Receipt, null, token.ToString(), self,
                Problems.Missed(write, request.IdempotencyKey));
    }

    // What was asked, without how: the same key with the same unit is a retry, whatever ack level it wants this time.
    private static UInt128 HashOf(SqlRequest request)
    {
        var neutral = new SqlRequest(request.Database, request.Unit, null, ReadOptions.Default, null, null, "", TimeSpan.Zero);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(SqlRequestCodec.Encode(neutral), hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    private SqlResponse Failed(SqlProblem problem) => new(null, null, null, null, self, problem);
}
