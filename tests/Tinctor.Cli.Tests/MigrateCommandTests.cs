using Tinctor.Cli.Migration;
using Tinctor.Cli.Startup;
using Tinctor.Tests;
using Tinctor.Training.Configuration;

namespace Tinctor.Cli.Tests;

/// <summary>Command lines of the official repositories' documentation and scripts.</summary>
public sealed class MigrateCommandTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-migrate-").FullName;

    public static TheoryData<string> Repositories => [.. OfficialRepository.All.Select(repository => repository.Key)];

    [Theory]
    [InlineData("python train.py --dataroot ./datasets/facades --name facades_pix2pix --model pix2pix --netG unet_256 --direction BtoA "
        + "--lambda_L1 100 --dataset_mode aligned --norm batch --pool_size 0",
        "tinctor train pix2pix --data datasets/facades -o checkpoints/facades_pix2pix --set model.lambda_l1=100 --set data.direction=BtoA "
        + "--set data.load_size=286 --set data.unpaired=false --set model.generator=unet_256 --set model.pool_size=0 "
        + "--set model.norm=batch")]
    [InlineData("python train.py --dataroot ./datasets/maps --name maps_cyclegan --model cycle_gan --use_wandb",
        "tinctor train cyclegan --data datasets/maps -o checkpoints/maps_cyclegan --set data.load_size=286")]
    [InlineData("python train.py --dataroot ./datasets/grumpifycat --name grumpycat_CUT --CUT_mode CUT",
        "tinctor train cut --data datasets/grumpifycat -o checkpoints/grumpycat_CUT --set data.load_size=286")]
    [InlineData("python train.py --dataroot ./datasets/grumpifycat --name grumpycat_FastCUT --CUT_mode FastCUT",
        "tinctor train fastcut --data datasets/grumpifycat -o checkpoints/grumpycat_FastCUT --set data.load_size=286")]
    [InlineData("python train.py --dataroot ./datasets/BCI --gpu_ids 0 --pattern L1_L2_L3_L4",
        "tinctor train pyramid-pix2pix --data datasets/BCI -o checkpoints/pyramidpix2pix --set data.preprocess=none")]
    [InlineData("python train.py --dataroot ./datasets/BCI --preprocess crop --crop_size 512 --gpu_ids 0 --pattern L1_L2",
        "tinctor train pyramid-pix2pix --data datasets/BCI -o checkpoints/pyramidpix2pix --crop-size 512 --set data.preprocess=crop "
        + "--set model.weight_l3=0 --set model.weight_l4=0")]
    [InlineData("python train.py --dataroot ./datasets/BCI --pattern L1_L2_L3_noGAN",
        "tinctor train pyramid-pix2pix --data datasets/BCI -o checkpoints/pyramidpix2pix --set data.preprocess=none "
        + "--set model.weight_l4=0 --set model.lambda_gan=0")]
    [InlineData("python train.py --dataroot ./datasets/BCI --pattern L1_L2_L3_L4_sobel",
        "tinctor train pyramid-pix2pix --data datasets/BCI -o checkpoints/pyramidpix2pix --set data.preprocess=none "
        + "--set model.weight_sobel=50")]
    [InlineData("python train.py --dataroot datasets/MIST/HER2/TrainValAB --name test --checkpoints_dir checkpoints --model cpt "
        + "--CUT_mode FastCUT --n_epochs 30 --n_epochs_decay 10 --netD n_layers --ndf 32 --netG resnet_6blocks --n_layers_D 5 "
        + "--normG instance --normD instance --weight_norm spectral --lambda_GAN 1.0 --lambda_NCE 10.0 --nce_layers 0,4,8,12,16 "
        + "--nce_T 0.07 --num_patches 256 --lambda_gp 10.0 --gp_weights [0.015625,0.03125,0.0625,0.125,0.25,1.0] --lambda_asp 10.0 "
        + "--asp_loss_mode lambda_linear --dataset_mode aligned --direction AtoB --num_threads 15 --batch_size 1 --load_size 1024 "
        + "--crop_size 512 --preprocess crop --flip_equivariance False --display_winsize 512 --update_html_freq 100 --save_epoch_freq 5",
        "tinctor train asp --data datasets/MIST/HER2/TrainValAB -o checkpoints/test --set model.lambda_gp=10 "
        + "--set model.gp_weights=0.015625,0.03125,0.0625,0.125,0.25,1 --set model.lambda_asp=10 --set model.asp_loss_mode=lambda_linear "
        + "--set data.direction=AtoB --batch-size 1 --crop-size 512 --set data.preprocess=crop --set data.workers=15 "
        + "--set data.unpaired=false --set model.ndf=32 --set model.generator=resnet_6blocks --set model.discriminator=patch "
        + "--set model.n_layers_d=5 --set training.epochs=30 --set training.epochs_decay=10 --set training.checkpoint_epochs=5 "
        + "--set model.norm_g=instance --set model.norm_d=instance --set model.lambda_gan=1 --set model.lambda_nce=10 "
        + "--set model.nce_layers=0,4,8,12,16 --set model.nce_t=0.07 --set model.num_patches=256 --set model.flip_equivariance=false "
        + "--set model.spectral_norm=true")]
    [InlineData("python train.py --dataroot d --CUT_mode CUT --netF sample --netF_nc 128 --beta2 0.99",
        "tinctor train cut --data d -o checkpoints/experiment_name --set data.load_size=286 --set model.beta2=0.99 "
        + "--set model.mlp_channels=0")]
    [InlineData("python train.py --dataroot d --CUT_mode CUT --netF mlp_sample --netF_nc 128",
        "tinctor train cut --data d -o checkpoints/experiment_name --set data.load_size=286 --set model.mlp_channels=128")]
    [InlineData("python train.py --dataroot ./datasets/BCI  --name BCI --dataset_name BCI",
        "tinctor train ceff --data datasets/BCI -o checkpoints/BCI --encoders checkpoints/encoderBCI --set data.preprocess=crop")]
    [InlineData("python train.py --dataroot root --model Encoder --name BCI --batch_size 64 --crop_size 256 --n_epochs 200 "
        + "--n_epochs_decay 100",
        "tinctor train ceff-encoder --data root -o checkpoints/encoderBCI --epochs 300 --batch-size 64 --crop-size 256")]
    [InlineData("python train.py --name label2city_1024p --netG local --ngf 32 --num_D 3 --load_pretrain checkpoints/label2city_512p/ "
        + "--niter_fix_global 20 --resize_or_crop crop --fineSize 1024",
        "tinctor train pix2pixhd --data datasets/cityscapes -o checkpoints/label2city_1024p --start-from checkpoints/label2city_512p "
        + "--set data.preprocess=crop --crop-size 1024 --set model.generator=local --set model.ngf=32 --set model.niter_fix_global=20 "
        + "--set model.num_d=3")]
    [InlineData("python test.py --name label2city_1024p --netG local --ngf 32 --resize_or_crop none",
        "tinctor stain checkpoints/label2city_1024p datasets/cityscapes --split test -o results/label2city_1024p")]
    [InlineData("python train.py --dataroot d --name train --model PSPStain --CUT_mode FastCUT --n_epochs 80 --n_epochs_decay 0 "
        + "--weight_norm spectral --unet_seg BCI_unet_seg --lambda_gp 10.0 --gp_weights "
        + "[0.015625,0.03125,0.0625,0.125,0.25,1.0] --preprocess resize_and_crop --load_size 1024 --crop_size 512 --batch_size 4",
        "tinctor train psp-stain --data d -o checkpoints/train --set model.lambda_gp=10 "
        + "--set model.gp_weights=0.015625,0.03125,0.0625,0.125,0.25,1 --batch-size 4 --crop-size 512 --set data.load_size=1024 "
        + "--set data.preprocess=resize_and_crop --set model.ndf=64 --set model.generator=resnet_9blocks --set training.epochs=80 "
        + "--set training.epochs_decay=0 --set model.lambda_nce=10 --set model.spectral_norm=true "
        + "--set model.segmenter.path=pretrain/BCI_unet_seg.pth --set model.n_layers_d=3")]
    [InlineData("python train.py --dataroot d --name train --model cut --CUT_mode CUT --n_epochs 50 --n_epochs_decay 50 --lambda_CC 10.0 "
        + "--weight_norm spectral --load_size 512 --crop_size 256 --preprocess crop --batch_size 8",
        "tinctor train sim-gan --data d -o checkpoints/train --epochs 50 --batch-size 8 --crop-size 256 --set data.preprocess=crop "
        + "--set model.ndf=64 --set model.generator=resnet_9blocks --set model.spectral_norm=true --set model.lambda_cc=10 "
        + "--set model.n_layers_d=3")]
    [InlineData("python test.py --dataroot ./datasets/facades --name facades_pix2pix --model pix2pix --which_model_netG unet_256 "
        + "--which_direction BtoA --dataset_mode aligned --norm batch",
        "tinctor stain checkpoints/facades_pix2pix datasets/facades --split test -o results/facades_pix2pix")]
    [InlineData("python test.py --dataroot datasets/horse2zebra/testA --name horse2zebra_pretrained --model test --no_dropout",
        "tinctor stain checkpoints/horse2zebra_pretrained datasets/horse2zebra/testA -o results/horse2zebra_pretrained")]
    public void Official_line_gives_command(string official, string ours)
    {
        Outcome outcome = CommandLine.RunInProcess("migrate", official);
        Assert.Equal((0, ours), (outcome.Code, OneLine(outcome.Out)));
        Parses(outcome.Out);
    }

    [Fact]
    public void Values_without_equivalent_are_named_with_reason()
    {
        Outcome outcome = CommandLine.RunInProcess("migrate", "CUDA_VISIBLE_DEVICES=0 python -u train.py --dataroot d --model pix2pix "
            + "--netG stylegan2 --preprocess zoom --max_dataset_size 9 --strange 3 --display_id -1 --no_html --n_layers_D 5 --gpu_ids 1,2");
        Assert.Equal(0, outcome.Code);
        Assert.Equal("tinctor train pix2pix --data d -o checkpoints/experiment_name --device cuda:1", OneLine(outcome.Out));
        Parses(outcome.Out);
        string[] messages = outcome.Messages.Split('\n');
        Assert.Contains("no effect: --display_id, --no_html ('tinctor view' shows runs; there is no visdom server or HTML log)", messages);
        Assert.Contains("no effect: --n_layers_D (only with --netD n_layers)", messages);
        Assert.Contains("--gpu_ids 1,2: one GPU is used", messages);
        Assert.Contains("warning: not available: --netG stylegan2 (expected resnet_9blocks, resnet_6blocks, resnet_4blocks, unet_256, "
            + "unet_128 or attention_unet_32)", messages);
        Assert.Contains("warning: not available: --preprocess zoom (data.preprocess is zoom, expected resize_and_crop, crop, scale_width, "
            + "scale_width_and_crop, none)", messages);
        Assert.Contains("warning: not available: --max_dataset_size (all pairs are used; a manifest can list fewer)", messages);
        Assert.Contains("warning: junyanz/pytorch-CycleGAN-and-pix2pix has no flag --strange; it is not in the command", messages);
    }

    [Fact]
    public void Older_names_and_beginnings_of_flags_are_known()
    {
        Outcome outcome = CommandLine.RunInProcess("migrate", "python train.py --dataroot=d --model pix2pix --which_direction BtoA "
            + "--niter 5 --niter_decay 7 --loadSize=572 --fineSize 512 --batchS 4 "
            + "--no_lsgan --lambda_A 50 --lr 0.001 --suffix {netG}_{crop_size}");
        Assert.Equal("tinctor train pix2pix --data d -o checkpoints/experiment_name_unet_256_512 --set model.lambda_l1=50 "
            + "--set data.direction=BtoA --batch-size 4 --crop-size 512 --set data.load_size=572 --set training.epochs=5 "
            + "--set training.epochs_decay=7 --learning-rate 0.001 --set model.gan_mode=vanilla", OneLine(outcome.Out));
        Parses(outcome.Out);
    }

    [Fact]
    public void Continued_training_resumes()
    {
        Outcome outcome = CommandLine.RunInProcess("migrate",
            "python train.py --dataroot d --name n --model pix2pix --continue_train --epoch_count 5");
        Assert.Equal("tinctor train -o checkpoints/n --resume", OneLine(outcome.Out));
        Assert.Contains("the run resumes with the settings in its config.yaml", outcome.Messages);
    }

    [Fact]
    public void Script_with_quotes_and_continued_lines_gives_each_command()
    {
        string script = At("run.sh");
        File.WriteAllText(script, """
            set -ex   # a comment with a ' quotation mark
            DATA=/data
            python train.py --dataroot "$DATA/my pairs" \
                --name 'it''s one' \
                --model pix2pix
            python test.py --dataroot "$DATA/my pairs" --name "it's" --model pix2pix --eval --phase val && python evaluate.py
            """);
        Outcome outcome = CommandLine.RunInProcess("migrate", script);
        Assert.Equal(0, outcome.Code);
        Assert.Equal("""
            tinctor train pix2pix --data "$DATA/my pairs" -o 'checkpoints/its one' --set data.load_size=286
            tinctor stain 'checkpoints/it'\''s' "$DATA/my pairs" --split val -o 'results/it'\''s'

            """.ReplaceLineEndings("\n"), outcome.Out);
        Assert.DoesNotContain("--eval", outcome.Messages.Replace("without --eval", ""));
    }

    [Fact]
    public void Launcher_gives_its_experiments()
    {
        string launcher = At("my_launcher.py");
        File.WriteAllText(launcher, """
            from .tmux_launcher import Options, TmuxLauncher
            class Launcher(TmuxLauncher):
                def common_options(self):
                    return [
                        Options(
                            dataroot="datasets/pairs",
                            name='first',  # a note
                            model='pix2pix',
                            # netG='unet_128',
                            ngf=32, # channels
                        ),
                    ]
            """);
        Assert.Equal("tinctor train pix2pix --data datasets/pairs -o checkpoints/first --set data.load_size=286 --set model.ngf=32",
            OneLine(CommandLine.RunInProcess("migrate", launcher).Out));
    }

    [Theory]
    [InlineData("python evaluate.py --result_path results", "the command is python evaluate.py --result_path, expected python train.py")]
    [InlineData("python train.py --model colorization --dataroot d", "--model colorization: not available here")]
    [InlineData("python train.py --model pix2pix --dataroot 'd", "the quotation mark ' at position 44 of the command has no partner")]
    [InlineData("python train.py --model pix2pix", "--dataroot is missing")]
    [InlineData("python train.py --model test --dataroot d", "--model test has no training")]
    [InlineData("python train.py --model pix2pix --dataroot --name n", "--dataroot needs a value")]
    [InlineData("python -m experiments mist train 0", "Name that file, such as experiments/mist_launcher.py")]
    public void Lines_that_cannot_be_understood_are_refused(string line, string problem) =>
        Assert.Contains(problem, CommandLine.RunInProcess("migrate", line).OneError());

    [Theory]
    [MemberData(nameof(Repositories))]
    public void Documentation_has_table_of_flags(string key)
    {
        OfficialRepository repository = OfficialRepository.All.Single(each => each.Key == key);
        string table = FlagTable.Markdown(repository);
        Assert.Contains(table, File.ReadAllText(RepositoryFiles.Path("docs/migrating.md")));
        Assert.Equal(table, CommandLine.RunInProcess("migrate", "--flags", key).Out);
    }

    /// <summary>Every flag becomes an existing setting, and the official values without flags are accepted.</summary>
    [Theory]
    [MemberData(nameof(Repositories))]
    public void Settings_of_flags_exist_and_accept_official_values(string key)
    {
        OfficialRepository repository = OfficialRepository.All.Single(each => each.Key == key);
        foreach (OfficialModel model in repository.Models.Where(model => model.Command is not null))
        {
            string mode = model.Mode is null ? "" : $" --CUT_mode {model.Mode}";
            // By default SIM-GAN crops 512 pixels from images of 286, which fails there too.
            if (key == "sim-gan") mode += " --load_size 512";
            Outcome outcome = CommandLine.RunInProcess("migrate", "--from", key,
                $"python train.py --dataroot d --model {model.Name}{mode}");
            Assert.Equal(0, outcome.Code);
            Assert.DoesNotContain("warning", outcome.Messages);
            Parses(outcome.Out);
            Assert.Empty(KeysOf(model.Flags).Except(Known(model.Command!)));
        }
        IEnumerable<string> methods = repository.Models.Select(model => model.Command).OfType<string>();
        Assert.Empty(KeysOf(repository.Flags).Except(methods.SelectMany(Known)));

        static IEnumerable<string> KeysOf(IEnumerable<OfficialFlag> flags) =>
            flags.Where(flag => flag.Effect == FlagEffect.Setting).Select(flag => flag.Ours);

        static IEnumerable<string> Known(string command) => SettingsCatalog.List(command).Select(setting => setting.Key);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private string At(string name) => Path.Combine(root, name);

    private static string OneLine(string output) => output.Replace(" \\\n   ", "").TrimEnd();

    // Our own parser takes the command, and all of its settings.
    private static void Parses(string output)
    {
        foreach (IReadOnlyList<string> words in ShellWords.Split(output))
        {
            string[] arguments = [.. words.Skip(1)];
            Assert.Equal("tinctor", words[0]);
            Assert.Empty(CommandLineApp.Root.Parse(arguments).Errors);
            if (arguments[0] != "train" || !RunConfig.Methods.ContainsKey(arguments[1])) continue;
            Outcome printed = CommandLine.RunInProcess([.. arguments, "--print-config"]);
            Assert.Equal(("", 0), (printed.Failures, printed.Code));
        }
    }
}
