/** The exit code for options that are wrong. */
const MISUSED = 2;

/** What a command line starts. */
export interface Demo {
  /** The exit code when somebody ends it. */
  readonly interruptedCode: number;
  /** False if it has not shown what it must. */
  run(): Promise<boolean>;
  stop(): Promise<void>;
}

export interface Command<Options extends { readonly help: boolean }> {
  readonly help: string;
  /** @throws Error that says what was wrong */
  read(args: string[]): Options;
  make(options: Options): Demo;
}

/** Runs a demo to its end, or until somebody ends it, and leaves no process behind. */
export async function execute<Options extends { readonly help: boolean }>(
  command: Command<Options>,
): Promise<void> {
  const options = readOrExit(command);
  if (options.help) {
    console.log(command.help);
    process.exit();
  }
  const demo = command.make(options);
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, async () => {
      interrupted = true;
      await demo.stop();
      process.exit(demo.interruptedCode);
    });
  }
  try {
    process.exitCode = (await demo.run()) ? 0 : 1;
  } catch (error) {
    // What is ended is no longer what it was meant to be.
    if (!interrupted) console.error((error as Error).message);
    process.exitCode = 1;
  } finally {
    await demo.stop();
  }
}

function readOrExit<Options extends { readonly help: boolean }>({ read, help }: Command<Options>): Options {
  try {
    return read(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(MISUSED);
  }
}
