using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>A request that the endpoints refuse before the cluster hears of it. Thrown where the fault is found, answered in one place.</summary>
internal sealed class RequestRefusedException(SqlProblem problem) : Exception(problem.Detail)
{
    public SqlProblem Problem { get; } = problem;
}

/// <summary>The problems that the endpoints themselves can find. Nothing was applied in any of them.</summary>
internal static class Refusals
{
    public static RequestRefusedException Body(string detail) => Of(400, "REQUEST_INVALID", "The request's body is not as it must be", detail);

    public static RequestRefusedException Header(string name, string detail)
        => Of(400, "HEADER_INVALID", "A request header is not as it must be", $"{name}: {detail}");

    public static RequestRefusedException Query(string name, string detail)
        => Of(400, "PARAMETER_INVALID", "A query parameter is not as it must be", $"{name}: {detail}");

    public static RequestRefusedException Name(string detail) => Of(400, "NAME_INVALID", "The name cannot be used", detail);

    public static RequestRefusedException NotYet(string detail) => Of(400, "NOT_SUPPORTED", "Not supported by this version", detail);

    public static RequestRefusedException Forbidden(string code, string detail) => Of(403, code, "The request is refused", detail);

    public static RequestRefusedException NoSuchDatabase(string name)
        => Of(404, "DATABASE_UNKNOWN", "There is no such database", $"There is no database '{name}' here. GET /v1/cluster lists those that are.");

    public static RequestRefusedException BodyTooLarge(long bytesMax)
        => Of(413, "BODY_TOO_LARGE", "The request's body is too large", $"A body may have {bytesMax} bytes. Split the request into several.");

    public static RequestRefusedException ContentType(string? contentType)
        => Of(
            415,
            "CONTENT_TYPE_UNSUPPORTED",
            "The request's body is of a type that is not understood",
            $"Send the body as 'Content-Type: application/json' in UTF-8, not as '{contentType ?? "nothing"}'.");

    public static RequestRefusedException FileContentType(string wanted, string? contentType)
        => Of(
            415,
            "CONTENT_TYPE_UNSUPPORTED",
            "The request's body is of a type that is not understood",
            $"Send the file as 'Content-Type: {wanted}', not as '{Route.Shorten(contentType ?? "nothing")}'.");

    public static RequestRefusedException LengthRequired()
        => Of(411, "LENGTH_REQUIRED", "The request's body must say how long it is", "Send the file with a Content-Length, so that room can be made for it.");

    public static RequestRefusedException Baton(string code, string detail) => Of(400, code, "The stream cannot be continued", detail);

    public static RequestRefusedException Overloaded(string what)
        => Of(503, "OVERLOADED", "This node has too much to do", $"{what} Try again shortly, or another node.");

    private static RequestRefusedException Of(int status, string code, string title, string detail)
        => new(new SqlProblem(status, code, title, detail, Protocol.Outcome.NotApplied));
}
