using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Polygraph.Node.Http;
using Polygraph.Protocol;

namespace Polygraph.Node.Diagnosis;

/// <summary><c>GET /v1/doctor?sync=20</c>: what this node runs on. With <c>sync</c>, so many small writes to its disk are measured.</summary>
internal sealed class DoctorEndpoint(NodeId self, string directory, TimeProvider time)
{
    private const int SyncSamplesMax = 100;

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/v1/doctor", (RequestDelegate)AnswerAsync);

    private Task AnswerAsync(HttpContext context)
    {
        var samples = new Query(context, "sync").Entries("sync") ?? 0;
        if (samples > SyncSamplesMax)
            throw Refusals.Query("sync", $"at most {SyncSamplesMax} writes are measured.");
        return ReportAnswer.SendAsync(context, Diagnostician.Examine(self.Value, directory, (int)samples, time), DiagnosisJson.Default.NodeDiagnosis);
    }
}
