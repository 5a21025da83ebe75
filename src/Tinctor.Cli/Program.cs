using Tinctor.Cli;
using Tinctor.Cli.Startup;

return await CommandLineApp.RunAsync(args, Terminal.ForProcess());
