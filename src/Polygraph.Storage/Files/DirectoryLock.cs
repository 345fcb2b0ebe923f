using System.Globalization;
using System.Text;

namespace Polygraph.Storage.Files;

/// <summary>
/// Keeps a second process, and a second owner in this one, out of a directory. Held by an open file, so that it ends with the process
/// however that ends; the file itself stays and means nothing.
/// </summary>
public sealed class DirectoryLock : IDisposable
{
    /// <summary>The name of the file in the directory.</summary>
    public const string FileName = "lock";

    private readonly FileStream _file;

    private DirectoryLock(FileStream file) => _file = file;

    /// <summary>Takes the lock.</summary>
    /// <exception cref="DirectoryInUseException">Somebody else holds it.</exception>
    public static DirectoryLock Acquire(string directory)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, FileName);
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new DirectoryInUseException(directory, e);
        }

        // For a person who wonders who holds it; nothing reads this.
        file.SetLength(0);
        file.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n")));
        file.Flush();
        return new(file);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}

/// <summary>A directory belongs to another running node.</summary>
public sealed class DirectoryInUseException(string directory, Exception cause)
    : IOException($"'{directory}' is in use by another process (its file 'lock' says which). Stop that one, or choose another directory.", cause);
