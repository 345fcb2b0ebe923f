using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Polygraph.Protocol;

/// <summary>Checks that stay on in release builds: a broken invariant stops the node, because going on could lose data.</summary>
public static class Invariant
{
    /// <summary>Throws <see cref="InvariantViolationException"/> unless <paramref name="condition"/> holds.</summary>
    public static void Holds(
        [DoesNotReturnIf(false)] bool condition, string invariant, [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        if (!condition)
            throw new InvariantViolationException($"Invariant broken: {invariant} ({expression}).");
    }
}

/// <summary>A bug in Polygraph, or damage that no layer below noticed. The group that threw it must not go on.</summary>
public sealed class InvariantViolationException(string message) : Exception(message);
