using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Log;

/// <summary>The newest term that a node has seen in a group, and whom it voted for in it.</summary>
/// <param name="Term">The term.</param>
/// <param name="VotedFor">The candidate; <see cref="NodeId.None"/> if it has not voted in this term.</param>
public readonly record struct DurableVote(Term Term, NodeId VotedFor);

/// <summary>
/// Keeps a node's vote: durable before anybody hears of it, never older than what was told. A vote is written to one slot, synced, then to
/// the other, and opening makes the slots equal again if a crash came between: so a crash tears at most one, and damage to either one later
/// does not bring back an older vote, with which the node could vote twice in a term.
/// </summary>
/// <remarks>Owner: the log thread, after opening. A failed save throws and the store must not be used again.</remarks>
public sealed class VoteStore : IDisposable
{
    /// <summary>The longest name of a node, in bytes of UTF-8.</summary>
    public const int NodeIdBytesMax = 255;

    // Apart by more than a sector or a page, so that one torn write cannot reach both.
    private const int SlotStride = 4096;
    private const int SlotBytes = 8 + 8 + 2 + NodeIdBytesMax + 1 + 4;
    private const int ChecksumAt = SlotBytes - 4;
    private const ushort NoVote = ushort.MaxValue;

    private readonly string _path;
    private readonly IStorageFile _file;
    private ulong _sequence;

    private VoteStore(string path, IStorageFile file)
    {
        _path = path;
        _file = file;
    }

    /// <summary>The vote that is durable.</summary>
    public DurableVote Current { get; private set; }

    /// <summary>Opens the vote in a file, or creates it beside an empty log: term zero, no vote.</summary>
    /// <param name="files">The files.</param>
    /// <param name="path">The vote's file.</param>
    /// <param name="logEnd">The last entry of the log that the vote belongs to.</param>
    /// <exception cref="LogCorruptedException">Neither slot can be read. The node must not vote: re-admit it as a new one.</exception>
    /// <exception cref="VoteMissingException">There is no file although the log has entries. Nothing was changed.</exception>
    public static VoteStore Open(IFileSystem files, string path, Position logEnd)
    {
        if (!files.Exists(path))
        {
            if (logEnd != Position.Zero)
                throw new VoteMissingException(path, logEnd);
            files.ReplaceAtomically(path, file =>
            {
                file.Write(new byte[2 * SlotStride], 0);
                file.Write(Encode(1, default), 0);
                file.Write(Encode(1, default), SlotStride);
            });
        }

        var store = new VoteStore(path, files.Open(path, FileOpening.Existing));
        try
        {
            store.Load();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Makes a vote durable. Terms never go back, and a vote within a term never changes.</summary>
    public void Save(DurableVote vote)
    {
        if (vote == Current)
            return;
        Invariant.Holds(vote.Term >= Current.Term, "a node's term never goes back");
        Invariant.Holds(vote.Term > Current.Term || Current.VotedFor.IsNone, "a node votes once in a term");

        var slot = Encode(_sequence + 1, vote);
        _file.Write(slot, SlotOffset(0));
        _file.Sync();
        _file.Write(slot, SlotOffset(1));
        _file.Sync();
        _sequence++;
        Current = vote;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Load()
    {
        var first = Decode(SlotOffset(0));
        var second = Decode(SlotOffset(1));
        if (first is null && second is null)
            throw new LogCorruptedException(_path, 0, Position.Zero, "neither copy of this node's vote can be read.");
        var firstIsNewer = second is null || first?.Sequence >= second.Value.Sequence;
        (_sequence, Current) = firstIsNewer ? first!.Value : second!.Value;

        // Another process may have ended between writing and syncing, or its sync failed, after which a sync without a write does nothing: what was
        // read may not be durable. Both slots are, before anything is told: first the one that may be overwritten, then the same bytes where they are.
        var slot = Encode(_sequence, Current);
        _file.Write(slot, SlotOffset(firstIsNewer ? 1 : 0));
        _file.Sync();
        _file.Write(slot, SlotOffset(firstIsNewer ? 0 : 1));
        _file.Sync();
    }

    private static int SlotOffset(int slot) => slot * SlotStride;

    private static byte[] Encode(ulong sequence, DurableVote vote)
    {
        var slot = new byte[SlotBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(slot, sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(slot.AsSpan(8), vote.Term.Value);
        var nameBytes = vote.VotedFor.IsNone ? NoVote : Encoding.UTF8.GetByteCount(vote.VotedFor.Value);
        if (nameBytes is > NodeIdBytesMax and not NoVote)
            throw new ArgumentException($"The node's name has {nameBytes} bytes; the limit is {NodeIdBytesMax}.", nameof(vote));
        BinaryPrimitives.WriteUInt16LittleEndian(slot.AsSpan(16), (ushort)nameBytes);
        if (!vote.VotedFor.IsNone)
            Encoding.UTF8.GetBytes(vote.VotedFor.Value, slot.AsSpan(18));
        BinaryPrimitives.WriteUInt32LittleEndian(slot.AsSpan(ChecksumAt), Crc32C.Of(slot.AsSpan(0, ChecksumAt)));
        return slot;
    }

    private (ulong Sequence, DurableVote Vote)? Decode(int offset)
    {
        Span<byte> slot = stackalloc byte[SlotBytes];
        if (_file.Read(slot, offset) < SlotBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(slot[ChecksumAt..]) != Crc32C.Of(slot[..ChecksumAt]))
        {
            return null;
        }

        // A right checksum over a name that no node can have: not a slot that this wrote.
        var nameBytes = BinaryPrimitives.ReadUInt16LittleEndian(slot[16..]);
        if (nameBytes != NoVote && (nameBytes > NodeIdBytesMax || !Utf8.IsValid(slot.Slice(18, nameBytes))))
            return null;
        var votedFor = nameBytes == NoVote ? NodeId.None : new NodeId(Encoding.UTF8.GetString(slot.Slice(18, nameBytes)));
        return (
            BinaryPrimitives.ReadUInt64LittleEndian(slot),
            new(new Term(BinaryPrimitives.ReadUInt64LittleEndian(slot[8..])), votedFor));
    }
}
