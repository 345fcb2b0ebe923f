using Microsoft.AspNetCore.Http;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>A request's query parameters; one that its endpoint does not know is refused, never ignored.</summary>
internal readonly struct Query
{
    private readonly IQueryCollection _parameters;

    public Query(HttpContext context, params ReadOnlySpan<string> known)
    {
        _parameters = context.Request.Query;
        foreach (var (name, values) in _parameters)
        {
            if (!known.Contains(name))
                throw Refusals.Query(Route.Shorten(name), $"this parameter is not known here; known are {Names(known)}.");
            if (values.Count != 1 || string.IsNullOrEmpty(values[0]))
                throw Refusals.Query(name, "give this parameter once, with a value.");
        }
    }

    /// <summary>The database that the request is about.</summary>
    public string Database
    {
        get
        {
            var name = Find("db") ?? DatabaseName.Default;
            return DatabaseName.IsValid(name) ? name : throw Refusals.NoSuchDatabase(Route.Shorten(name));
        }
    }

    public TimeSpan? Duration(string name)
    {
        if (Find(name) is not { } text)
            return null;
        return DurationText.TryParse(text, out var duration, out var error) ? duration : throw Refusals.Query(name, error);
    }

    public ulong? Entries(string name)
    {
        if (Find(name) is not { } text)
            return null;
        return EntryCount.TryParse(text, out var entries, out var error) ? entries : throw Refusals.Query(name, error);
    }

    public Protocol.AckPolicy? Ack(string name)
    {
        if (Find(name) is not { } text)
            return null;
        return AckPolicyText.TryParse(text, out var policy, out var error) ? policy : throw Refusals.Query(name, error);
    }

    private string? Find(string name) => _parameters.TryGetValue(name, out var values) ? values[0] : null;

    private static string Names(ReadOnlySpan<string> known) => known.IsEmpty ? "none" : string.Join(", ", known!);
}
