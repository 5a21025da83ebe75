using Tinctor.Cli;

return await Cli.RunAsync(args, Terminal.ForProcess());
