using System.Diagnostics;

namespace Polygraph.Nemesis.Clusters;

/// <summary>A file system in memory of its own, which can be filled: a disk that is full. Only the superuser of Linux can make one.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _directory;

    private SmallDisk(string directory) => _directory = directory;

    /// <summary>Why there can be none here; null if there can.</summary>
    public static string? Hindrance
        => OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess ? null : "only the superuser of Linux can mount a small file system";

    private string Ballast => Path.Combine(_directory, "ballast");

    /// <exception cref="InvalidOperationException">It cannot be mounted.</exception>
    public static SmallDisk Mount(string directory, int mebibytes)
        => TryMount(directory, mebibytes) ?? throw new InvalidOperationException($"No small file system can be mounted at {directory}.");

    /// <summary>Null if it cannot be mounted: also the superuser of a container may be forbidden to.</summary>
    public static SmallDisk? TryMount(string directory, int mebibytes)
    {
        if (Hindrance is not null)
            return null;
        Directory.CreateDirectory(directory);
        return Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "polygraph-nemesis", directory) == 0 ? new SmallDisk(directory) : null;
    }

    /// <summary>Takes all the room there is.</summary>
    public void Fill()
    {
        using var ballast = File.Create(Ballast);
        var block = new byte[64 * 1024];
        try
        {
            while (true)
            {
                ballast.Write(block);
                ballast.Flush();
            }
        }
        catch (IOException)
        {
            // It is full: that is what was wanted.
        }
    }

    public void MakeRoom() => File.Delete(Ballast);

    /// <summary>Copies all files but the one that takes the room.</summary>
    public void CopyTo(string directory)
    {
        MakeRoom();
        foreach (var file in Directory.EnumerateFiles(_directory, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(directory, Path.GetRelativePath(_directory, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
    }

    // Lazily: a process that was killed a moment ago may still have files open.
    public void Dispose() => Run("umount", "--lazy", _directory);

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
