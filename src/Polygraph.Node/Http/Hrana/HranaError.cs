using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>Errors as Hrana clients understand them: an object with <c>message</c> and <c>code</c>, in-band or as the whole answer.</summary>
internal static class HranaError
{
    // Clients compare this text exactly: with "; charset=utf-8" behind it they would drop message and code.
    private const string ContentType = "application/json";

    public static bool IsHranaPath(PathString path)
        => path.Value is { } value
            && (value.EndsWith("/pipeline", StringComparison.Ordinal) || value.EndsWith("/cursor", StringComparison.Ordinal));

    /// <summary>Answers the whole request with an error: the client drops the stream.</summary>
    public static async Task SendAsync(HttpContext context, SqlProblem problem)
    {
        var output = JsonOutput.Rent();
        try
        {
            Write(output.Writer, new SqlError(problem.Code, problem.Detail));
            await output.SendAsync(context.Response, problem.Status, ContentType, context.RequestAborted);
        }
        finally
        {
            output.Return();
        }
    }

    public static void Write(Utf8JsonWriter json, SqlError error)
    {
        json.WriteStartObject();
        json.WriteString("message"u8, error.Message);
        json.WriteString("code"u8, error.Code);
        if (error.ExtendedCode is { } extended)
            json.WriteString("extended_code"u8, extended);
        json.WriteEndObject();
    }
}
