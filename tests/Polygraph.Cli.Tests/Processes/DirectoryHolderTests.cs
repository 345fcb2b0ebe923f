using Polygraph.Cli.Processes;
using Polygraph.Storage.Files;

namespace Polygraph.Cli.Tests.Processes;

public sealed class DirectoryHolderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-holder-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void It_is_who_holds_the_lock_and_nobody_once_it_is_released_although_the_file_still_names_him()
    {
        Assert.Null(DirectoryHolder.Of(_directory));
        using (DirectoryLock.Acquire(_directory))
            Assert.Equal(OperatingSystem.IsLinux() ? Environment.ProcessId : null, DirectoryHolder.Of(_directory));

        Assert.True(File.Exists(Path.Combine(_directory, "lock")));
        Assert.Null(DirectoryHolder.Of(_directory));
    }
}
