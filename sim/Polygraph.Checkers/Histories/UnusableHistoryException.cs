namespace Polygraph.Checkers.Histories;

/// <summary>A history breaks a rule that its checker rests on, such as that no value is written twice.</summary>
public sealed class UnusableHistoryException(string message) : Exception(message);
