using Microsoft.AspNetCore.Http;

namespace Polygraph.Node.Http;

/// <summary>What a request's path says.</summary>
internal static class Route
{
    /// <summary>The path's <c>{name}</c>; a name that no database can have is refused before the cluster is asked.</summary>
    public static string DatabaseOf(HttpContext context)
    {
        var name = (string?)context.Request.RouteValues["name"] ?? DatabaseName.Default;
        return DatabaseName.IsValid(name) ? name : throw Refusals.NoSuchDatabase(Shorten(name));
    }

    /// <summary>Text of a request as a message may show it.</summary>
    public static string Shorten(string text) => text.Length <= DatabaseName.LengthMax ? text : text[..DatabaseName.LengthMax] + "…";
}
