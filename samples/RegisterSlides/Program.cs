// Registers a slide to another and writes it in the frame of the first: RegisterSlides SOURCE TARGET TRANSFORM.json WARPED.ome.tif
using Tinctor.Registration;
using Tinctor.Registration.Slides;
using Tinctor.Slides;
using Tinctor.Transforms;

using Slide source = Slide.Open(args[0]), target = Slide.Open(args[1]);
var options = new RegistrationOptions { Transform = TransformModel.Affine };
RegistrationTransform transform = SlideRegistration.Estimate(source, target, options);
if (!transform.Quality.Passed) throw new InvalidOperationException($"not registered: {string.Join("; ", transform.Quality.Reasons)}");

TransformFile.Write(args[2], transform);
SlideWarp.Write(transform, target, args[3]);
(double x, double y) = transform.Apply(source.Width / 2.0, source.Height / 2.0);
Console.WriteLine($"the centre of the source is at ({x:0}, {y:0}) of the target");
