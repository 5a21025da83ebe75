using Tinctor.Data.Tests;
using Tinctor.Training.Runs;

namespace Tinctor.Training.Tests.Loop;

public sealed class MetricsLogTests : DataFolder
{
    [Fact]
    public void Write_line_is_in_file_at_once()
    {
        using var log = new MetricsLog(At("metrics.csv"), ["loss", "psnr"], 0);
        log.Write(10, 1, new Dictionary<string, double> { ["loss"] = 1.0 / 3 });
        log.Write(10, 1, new Dictionary<string, double> { ["psnr"] = 20, ["other"] = 1 });
        Assert.Equal("step,epoch,loss,psnr\n10,1,0.3333333,\n10,1,,20\n", File.ReadAllText(At("metrics.csv")));
    }

    [Theory]
    [InlineData("", "10,1,0.5\n20,1,0.4\n")]
    [InlineData("30,2,0.3\n", "10,1,0.5\n20,1,0.4\n")]
    [InlineData("30,2", "10,1,0.5\n20,1,0.4\n")]
    [InlineData("2", "10,1,0.5\n20,1,0.4\n")]
    public void Resume_drops_later_and_incomplete_lines(string tail, string kept)
    {
        File.WriteAllText(At("metrics.csv"), "step,epoch,loss\n10,1,0.5\n20,1,0.4\n" + tail);
        using (var log = new MetricsLog(At("metrics.csv"), ["loss"], 20)) log.Write(25, 2, new Dictionary<string, double> { ["loss"] = 1 });
        Assert.Equal("step,epoch,loss\n" + kept + "25,2,1\n", File.ReadAllText(At("metrics.csv")));
    }

    [Fact]
    public void Create_with_new_columns_keeps_rows()
    {
        File.WriteAllText(At("metrics.csv"), "step,epoch,loss,lr\n10,1,0.5,1\n20,1,0.4,1\n30,2");
        using (var log = new MetricsLog(At("metrics.csv"), ["cmp", "lr"], 20))
            log.Write(25, 2, new Dictionary<string, double> { ["cmp"] = 3, ["lr"] = 1 });
        Assert.Equal("step,epoch,loss,lr,cmp\n10,1,0.5,1,\n20,1,0.4,1,\n25,2,,1,3\n", File.ReadAllText(At("metrics.csv")));
    }

    [Fact]
    public void Create_at_step_zero_drops_old_lines()
    {
        File.WriteAllText(At("metrics.csv"), "old");
        using (new MetricsLog(At("metrics.csv"), ["loss"], 0)) { }
        Assert.Equal("step,epoch,loss\n", File.ReadAllText(At("metrics.csv")));
    }
}
