using System.Globalization;
using System.Runtime.CompilerServices;

namespace Polygraph.Simulation.Checks;

/// <summary>
/// What a check says when it fails. Checks run at every step and fail once in a million years: the words are put together only when the check
/// does not hold, so that <c>Require(holds, check, $"…")</c> costs no more than its condition.
/// </summary>
[InterpolatedStringHandler]
public ref struct CheckMessage
{
    private DefaultInterpolatedStringHandler _words;

    public CheckMessage(int literalLength, int formattedCount, bool holds, out bool isWanted)
    {
        isWanted = !holds;
        if (isWanted)
            _words = new DefaultInterpolatedStringHandler(literalLength, formattedCount, CultureInfo.InvariantCulture);
    }

    public void AppendLiteral(string value) => _words.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _words.AppendFormatted(value);

    /// <summary>The words; asked for once.</summary>
    public string Take() => _words.ToStringAndClear();
}
