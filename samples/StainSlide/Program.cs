// Stains a slide: StainSlide MODEL SLIDE OUTPUT.ome.tif
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.WholeSlides;

(string model, string input, string output) = (args[0], args[1], args[2]);
using Stainer stainer = OnnxModel.LoadStainer(model);
using Slide slide = Slide.Open(input);

var options = new SlideStainOptions { TileSize = 256, WholeSlide = true };
StainedSlide result = new SlideStainer(stainer, slide, output, options)
    .Stain(progress => Console.Error.WriteLine($"{progress.Done} of {progress.Total} tiles"));

result.WriteJson(Path.ChangeExtension(output, ".json"));
Console.WriteLine($"{result.Spec.Width} x {result.Spec.Height} pixels, seam score {result.SeamScore:0.00}");
