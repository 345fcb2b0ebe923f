using System.Text.Json;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>Reads the bodies of <c>POST /v2/pipeline</c>, <c>/v3/pipeline</c> and <c>/v3/cursor</c>.</summary>
internal static class HranaReader
{
    // Eight levels down to a condition; what is left bounds how deep conditions nest, and with them our own recursion.
    private const int DepthMax = 64;

    /// <summary>The pipeline, or a <see cref="RequestRefusedException"/> that names the field and its place.</summary>
    public static HranaPipeline Read(ReadOnlySpan<byte> body, HttpLimits limits)
    {
        var cursor = new JsonCursor(body, DepthMax);
        cursor.EnterObject("the body");
        string? baton = null;
        List<HranaRequest>? requests = null;
        bool batonSeen = false, requestsSeen = false;
        while (cursor.NextProperty())
        {
            if (cursor.NameIs("baton"u8))
            {
                cursor.EnterValue(ref batonSeen);
                baton = cursor.Token == JsonTokenType.Null ? null : cursor.ReadString("'baton'");
            }
            else if (cursor.NameIs("requests"u8))
            {
                cursor.EnterValue(ref requestsSeen);
                requests = ReadRequests(ref cursor, limits);
            }
            else
            {
                cursor.SkipValue();
            }
        }

        cursor.ExpectEnd();
        return new HranaPipeline(baton, requests ?? throw Refusals.Body("The body has no 'requests'."));
    }

    /// <summary>The body of <c>POST /v3/cursor</c>, as a pipeline of one batch.</summary>
    public static HranaPipeline ReadCursor(ReadOnlySpan<byte> body, HttpLimits limits)
    {
        var cursor = new JsonCursor(body, DepthMax);
        cursor.EnterObject("the body");
        string? baton = null;
        List<HranaBatchStep>? steps = null;
        bool batonSeen = false, batchSeen = false;
        while (cursor.NextProperty())
        {
            if (cursor.NameIs("baton"u8))
            {
                cursor.EnterValue(ref batonSeen);
                baton = cursor.Token == JsonTokenType.Null ? null : cursor.ReadString("'baton'");
            }
            else if (cursor.NameIs("batch"u8))
            {
                cursor.EnterValue(ref batchSeen);
                steps = ReadBatch(ref cursor, limits);
            }
            else
            {
                cursor.SkipValue();
            }
        }

        cursor.ExpectEnd();
        return new HranaPipeline(baton, [new HranaRequest.Batch(steps ?? throw Refusals.Body("The body has no 'batch'."))]);
    }

    private static List<HranaRequest> ReadRequests(ref JsonCursor cursor, HttpLimits limits)
    {
        cursor.EnterArray("'requests'");
        var requests = new List<HranaRequest>();
        while (cursor.NextItem())
        {
            RefuseTooMany(ref cursor, requests.Count, limits);
            requests.Add(ReadRequest(ref cursor, limits));
        }

        return requests;
    }

    private static HranaRequest ReadRequest(ref JsonCursor cursor, HttpLimits limits)
    {
        cursor.EnterObject("a request");
        string? type = null;
        HranaStatement? statement = null;
        List<HranaBatchStep>? steps = null;
        var text = new HranaStatementReader.TextFields();
        bool typeSeen = false, statementSeen = false, batchSeen = false;
        while (cursor.NextProperty())
        {
            if (cursor.NameIs("type"u8))
            {
                cursor.EnterValue(ref typeSeen);
                type = cursor.ReadString("'type'");
            }
            else if (cursor.NameIs("stmt"u8))
            {
                cursor.EnterValue(ref statementSeen);
                statement = HranaStatementReader.Read(ref cursor, limits);
            }
            else if (cursor.NameIs("batch"u8))
            {
                cursor.EnterValue(ref batchSeen);
                steps = ReadBatch(ref cursor, limits);
            }
            else if (!text.TryRead(ref cursor))
            {
                cursor.SkipValue();
            }
        }

        return type switch
        {
            "execute" => new HranaRequest.Execute(statement ?? throw cursor.Refuse("'execute' needs 'stmt'")),
            "batch" => new HranaRequest.Batch(steps ?? throw cursor.Refuse("'batch' needs 'batch'")),
            "sequence" => new HranaRequest.Sequence(text.ToText(ref cursor)),
            "describe" => new HranaRequest.Describe(text.ToText(ref cursor)),
            "store_sql" => text.ToStore(ref cursor),
            "close_sql" => text.ToCloseSql(ref cursor),
            "close" => new HranaRequest.Close(),
            "get_autocommit" => new HranaRequest.GetAutocommit(),
            null => throw cursor.Refuse("a request needs a 'type'"),
            _ => throw cursor.Refuse($"the request type '{Route.Shorten(type)}' is not known"),
        };
    }

    private static List<HranaBatchStep> ReadBatch(ref JsonCursor cursor, HttpLimits limits)
    {
        cursor.EnterObject("'batch'");
        List<HranaBatchStep>? steps = null;
        var stepsSeen = false;
        while (cursor.NextProperty())
        {
            if (!cursor.NameIs("steps"u8))
            {
                cursor.SkipValue();
                continue;
            }

            cursor.EnterValue(ref stepsSeen);
            cursor.EnterArray("'steps'");
            steps = [];
            while (cursor.NextItem())
            {
                RefuseTooMany(ref cursor, steps.Count, limits);
                steps.Add(ReadStep(ref cursor, steps.Count, limits));
            }
        }

        return steps ?? throw cursor.Refuse("a batch needs 'steps'");
    }

    private static HranaBatchStep ReadStep(ref JsonCursor cursor, int number, HttpLimits limits)
    {
        cursor.EnterObject("a step");
        BatchCondition? condition = null;
        HranaStatement? statement = null;
        bool conditionSeen = false, statementSeen = false;
        while (cursor.NextProperty())
        {
            if (cursor.NameIs("condition"u8))
            {
                cursor.EnterValue(ref conditionSeen);
                condition = cursor.Token == JsonTokenType.Null ? null : HranaConditionReader.Read(ref cursor, number);
            }
            else if (cursor.NameIs("stmt"u8))
            {
                cursor.EnterValue(ref statementSeen);
                statement = HranaStatementReader.Read(ref cursor, limits);
            }
            else
            {
                cursor.SkipValue();
            }
        }

        return new HranaBatchStep(condition, statement ?? throw cursor.Refuse("a step needs 'stmt'"));
    }

    private static void RefuseTooMany(ref JsonCursor cursor, int count, HttpLimits limits)
    {
        if (count == limits.StatementsMax)
            throw cursor.Refuse($"a request has at most {limits.StatementsMax} statements");
    }
}
