using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>
/// Every request passes here first and last: limits and guard on the way in; on the way out whatever went wrong becomes an answer in the
/// caller's own form, so that malformed input ends that request and nothing else.
/// </summary>
internal sealed class RequestBoundary(RequestGuard guard, InFlight inFlight, RequestMetrics metrics, ILogger logger)
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var entered = false;
        try
        {
            inFlight.EnterRequest();
            entered = true;
            guard.Check(context.Request);
            context.Response.Headers.XContentTypeOptions = "nosniff";
            await next(context);
            await DescribeEmptyErrorAsync(context);
        }
        catch (RequestRefusedException refused)
        {
            await RefuseAsync(context, refused.Problem);
        }
        catch (BadHttpRequestException fault)
        {
            await RefuseAsync(
                context,
                new SqlProblem(fault.StatusCode, "REQUEST_INVALID", "The request is not valid HTTP", fault.Message, Outcome.NotApplied));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // There is nobody to answer; the status is for the metrics only.
            if (!context.Response.HasStarted)
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (ConnectionResetException)
        {
            // The client went while its body was read: known by this before RequestAborted knows it. Nobody to answer, and no fault of ours.
            if (!context.Response.HasStarted)
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception fault)
        {
            await FailAsync(context, fault);
        }
        finally
        {
            if (entered)
                inFlight.LeaveRequest();
            metrics.CountAnswer(context.Response.StatusCode);
        }
    }

    // What ASP.NET answers by itself (unknown path, wrong method) has a status only.
    private static Task DescribeEmptyErrorAsync(HttpContext context)
    {
        var response = context.Response;
        if (response.HasStarted || response.StatusCode < 400 || response.ContentType is not null || response.ContentLength is not null)
            return Task.CompletedTask;

        var request = context.Request;
        var problem = response.StatusCode switch
        {
            404 => new SqlProblem(404, "NOT_FOUND", "There is nothing here", $"Nothing answers at {request.Path}.", Outcome.NotApplied),
            405 => new SqlProblem(
                405, "METHOD_NOT_ALLOWED", "The method does not fit", $"{request.Path} does not take {request.Method}.", Outcome.NotApplied),
            var status => new SqlProblem(status, "REQUEST_REFUSED", "The request is refused", "No more is known.", Outcome.NotApplied),
        };
        return AnswerAsync(context, problem);
    }

    private async Task RefuseAsync(HttpContext context, SqlProblem problem)
    {
        HttpLog.RequestRefused(logger, context.Request.Method, context.Request.Path, problem.Status, problem.Code, problem.Detail);
        if (context.Response.HasStarted)
            context.Abort();
        else
            await AnswerAsync(context, problem);
    }

    private async Task FailAsync(HttpContext context, Exception fault)
    {
        var request = context.Request;
        if (context.Response.HasStarted)
        {
            HttpLog.AnswerFailed(logger, fault, request.Method, request.Path);
            context.Abort();
            return;
        }

        HttpLog.RequestFailed(logger, fault, request.Method, request.Path);
        await AnswerAsync(
            context,
            new SqlProblem(
                500,
                "INTERNAL_ERROR",
                "A fault in Polygraph",
                "The node's log has the details. A write may or may not have been applied: ask again with the same idempotency key.",
                Outcome.Unknown,
                IdempotencyKey: request.Headers["Polygraph-Idempotency-Key"].FirstOrDefault()));
    }

    private static Task AnswerAsync(HttpContext context, SqlProblem problem)
        => HranaError.IsHranaPath(context.Request.Path)
            ? HranaError.SendAsync(context, problem)
            : ProblemAnswer.SendAsync(context, problem);
}
