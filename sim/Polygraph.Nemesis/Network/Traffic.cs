namespace Polygraph.Nemesis.Network;

/// <summary>What becomes of bytes that travel in one direction of a link.</summary>
internal abstract record Traffic
{
    private Traffic()
    {
    }

    /// <summary>They pass.</summary>
    public static readonly Traffic Flows = new Open();

    /// <summary>They are taken from the sender and never arrive.</summary>
    public static readonly Traffic Vanishes = new BlackHole();

    /// <summary>Nobody takes them from the sender: they wait in the kernel until the direction opens, and the sender is held up once its buffers are full.</summary>
    public static readonly Traffic Waits = new Clogged();

    /// <inheritdoc cref="Flows"/>
    public sealed record Open : Traffic;

    /// <summary>They arrive so much later, in order; how many may be on their way is not limited by it.</summary>
    public sealed record Late(TimeSpan By) : Traffic;

    /// <summary>So many bytes a second arrive.</summary>
    public sealed record Slow(int BytesPerSecond) : Traffic;

    /// <inheritdoc cref="Vanishes"/>
    public sealed record BlackHole : Traffic;

    /// <inheritdoc cref="Waits"/>
    public sealed record Clogged : Traffic;
}
