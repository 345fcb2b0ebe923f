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

    [Fact]
    public void Files_that_are_kept_for_a_person_are_counted()
    {
        var directory = Directory.CreateTempSubdirectory("polygraph-doctor-");
        try
        {
            var log = directory.CreateSubdirectory("databases/main.1/log");
            foreach (var name in (string[])["cut/1-3.cut", "base.damaged", "00000001.log.damaged", "00000001.log"])
            {
                var path = Path.Combine(log.FullName, name);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllBytes(path, [1]);
            }

            var sizes = Assert.Single(Diagnostician.Examine("n1", directory.FullName, 0, TimeProvider.System).Databases);

            Assert.Equal(("main.1", 1, 2), (sizes.Database, sizes.CutFiles, sizes.DamagedFiles));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
