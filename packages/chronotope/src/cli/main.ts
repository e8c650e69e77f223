import { Command, CommanderError } from 'commander';
import { demoCommand, demoDataCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { embedCommand } from './embed.js';
import { evaluateCommand } from './evaluate.js';
import { indexCommand } from './index-command.js';
import { inspectCommand } from './inspect.js';
import { leaksCommand } from './leaks.js';
import { manifestCommand } from './manifest.js';
import { predictCommand } from './predict.js';
import { reportCommand } from './report.js';
import { EXIT, reportError } from './report-error.js';
import { splitCommand } from './split.js';
import { trainCommand } from './train.js';
import { verifyResumeCommand } from './verify-resume.js';

/** Runs the command line and returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('chronotope')
    .description('Label-efficient video understanding: videos and a few labels in, an action recogniser out.')
    .version('0.1.0')
    .showHelpAfterError('(add --help for the options)')
    .showSuggestionAfterError();
  for (const command of [
    indexCommand(),
    trainCommand(),
    evaluateCommand(),
    predictCommand(),
    reportCommand(),
    embedCommand(),
    manifestCommand(),
    splitCommand(),
    leaksCommand(),
    inspectCommand(),
    demoDataCommand(),
    demoCommand(),
    doctorCommand(),
    verifyResumeCommand(),
  ]) {
    program.addCommand(command);
  }
  throwInsteadOfExiting(program);
  try {
    await program.parseAsync(argv);
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportError(error);
  }
}

/** Commander would call process.exit; it throws instead, so that there is one way out. */
function throwInsteadOfExiting(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInsteadOfExiting(child);
}
