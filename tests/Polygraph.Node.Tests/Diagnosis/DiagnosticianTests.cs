using Polygraph.Node.Diagnosis;

namespace Polygraph.Node.Tests.Diagnosis;

public sealed class DiagnosticianTests
{
    [Fact]
    public void A_directory_that_was_removed_under_the_process_is_told_and_no_fault()
    {
        var directory = Directory.CreateTempSubdirectory("polygraph-doctor-");
        Assert.NotNull(Diagnostician.Examine("n1", directory.FullName, 1, TimeProvider.System).Directory.FileSystem);
        directory.Delete(recursive: true);

        var found = Diagnostician.Examine("n1", directory.FullName, 1, TimeProvider.System);

        Assert.Equal(new DirectoryFacts(directory.FullName, null, null, null, null), found.Directory);
        Assert.Empty(found.Databases);
    }
}
