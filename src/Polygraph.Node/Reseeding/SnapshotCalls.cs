using System.Text.Json.Serialization;

namespace Polygraph.Node.Reseeding;

/// <summary>What a node asks of another about a snapshot.</summary>
/// <param name="Group">Of which database.</param>
/// <param name="Ask">One of <see cref="SnapshotAsk"/>.</param>
/// <param name="Snapshot">Which snapshot; null: any that is fresh.</param>
internal sealed record SnapshotRequest(uint Group, string Ask, Guid? Snapshot);

/// <summary>The words of <see cref="SnapshotRequest.Ask"/>.</summary>
internal static class SnapshotAsk
{
    /// <summary>Make one, or say how far it is.</summary>
    public const string Prepare = "prepare";

    /// <summary>Keep it: it is still needed.</summary>
    public const string Keep = "keep";

    /// <summary>It is not needed any more.</summary>
    public const string Release = "release";
}

/// <summary>How it is with a snapshot.</summary>
/// <param name="Snapshot">Which; null if there is none.</param>
/// <param name="Manifest">Its manifest as JSON, once it is complete.</param>
/// <param name="Reason">Why there is none.</param>
/// <param name="IsGone">Whether the snapshot that was asked for will not come back; else it may only not be known yet, as after a restart.</param>
internal sealed record SnapshotReply(Guid? Snapshot, string? Manifest, string? Reason, bool IsGone = false);

/// <summary>"Your rows are not those of the others": told by whoever had all replicas verified.</summary>
internal sealed record DivergedNotice(uint Group, Guid Verification, ulong Term, ulong Index, string Table, string Detail);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SnapshotRequest))]
[JsonSerializable(typeof(SnapshotReply))]
[JsonSerializable(typeof(DivergedNotice))]
internal sealed partial class ReseedJson : JsonSerializerContext;
