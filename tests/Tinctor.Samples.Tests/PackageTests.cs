using System.Diagnostics;
using Tinctor.Data.Phantom;
using Tinctor.Tests;

namespace Tinctor.Samples.Tests;

/// <summary>Packs the libraries and uses them in a new project outside of the repository.</summary>
public sealed class PackageTests : IDisposable
{
    private const string Version = "0.1.0-test";
    private static readonly string[] Libraries = ["Core", "Slides", "Slides.Torch", "Torch", "Data", "Staining", "Training"];

    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-packages-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Packages_work_in_new_project()
    {
        string feed = Directory.CreateDirectory(Path.Combine(folder, "feed")).FullName;
        foreach (string library in Libraries)
            Dotnet(RepositoryFiles.Path(""), "pack", Path.Combine("src", $"Tinctor.{library}"), "-c", "Release", "--no-build", "-o", feed,
                $"-p:PackageVersion={Version}");
        WriteProject();
        Dotnet(folder, "build", "New.csproj", "-c", "Release", "-o", "out");
        new PhantomDataset { Options = new() { Width = 64, Height = 64 }, Slides = 4 }.Write(Path.Combine(folder, "data"));
        Dotnet(folder, Path.Combine("out", "New.dll"), Path.Combine("data", "manifest.csv"), "run", "data.crop_size=64", "training.steps=2",
            "training.epochs=1", "training.epochs_decay=0", "model.ngf=4", "model.generator=resnet_6blocks");
        Assert.True(File.Exists(Path.Combine(folder, "run", "model", "model.onnx")));
    }

    // Packages that the build already has are not fetched again, and these ones stay out of the user's folder of packages.
    private void WriteProject()
    {
        string shared = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(Path.Combine(folder, "nuget.config"), """
            <configuration><packageSources><add key="feed" value="feed" /></packageSources></configuration>
            """);
        File.WriteAllText(Path.Combine(folder, "New.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <RestorePackagesPath>packages</RestorePackagesPath>
                <RestoreFallbackFolders>{shared}</RestoreFallbackFolders>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Tinctor.Training" Version="{Version}" />
              </ItemGroup>
            </Project>
            """);
        File.Copy(RepositoryFiles.Path("samples/TrainModel/Program.cs"), Path.Combine(folder, "Program.cs"));
    }

    private static string Dotnet(string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The engine must come from the package.
        start.Environment.Remove("TINCTOR_NATIVE");
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}: {output}{error.Result}");
        return output;
    }
}
