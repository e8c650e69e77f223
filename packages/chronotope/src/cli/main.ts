import { Command, CommanderError } from 'commander';
import { cacheCommand } from './cache.js';
import { compareCommand } from './compare.js';
import { completionCommand } from './completion.js';
import { conceptsCommand } from './concepts.js';
import { demoCommand, demoDataCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { embedCommand } from './embed.js';
import { evaluateCommand } from './evaluate.js';
import { indexCommand } from './index-command.js';
import { inspectCommand } from './inspect.js';
import { labelCommand } from './label.js';
import { leaksCommand } from './leaks.js';
import { manifestCommand } from './manifest.js';
import { predictCommand } from './predict.js';
import { r2v2Command } from './r2v2.js';
import { recipeCommand } from './recipe.js';
import { reportCommand } from './report.js';
import { EXIT, reportError } from './report-error.js';
import { searchCommand } from './search.js';
import { splitCommand } from './split.js';
import { trackCommand } from './track.js';
import { trainCommand } from './train.js';
import { verifyResumeCommand } from './verify-resume.js';
import { weightsCommand } from './weights.js';
import { zeroShotCommand } from './zero-shot.js';

/** The whole command line: every command with its options. */
export function createProgram(): Command {
  const program = new Command('chronotope')
    .description(
      'Label-efficient video understanding: videos and a few labels, or none, in; a recogniser, search or tracking out.',
    )
    .version('0.1.0');
  for (const [heading, commands] of Object.entries(commandGroups())) {
    program.commandsGroup(heading);
    for (const command of commands) program.addCommand(command);
  }
  program.addHelpText(
    'after',
    '\nchronotope <command> --help explains a command. The documentation is in docs/command-line.md.',
  );
  prepare(program);
  return program;
}

/** The commands by what they are for, as the help lists them. */
function commandGroups(): Record<string, Command[]> {
  return {
    'To begin with:': [demoCommand(), demoDataCommand(), doctorCommand()],
    'Data:': [
      indexCommand(),
      manifestCommand(),
      splitCommand(),
      leaksCommand(),
      inspectCommand(),
      cacheCommand(),
      r2v2Command(),
    ],
    'Learning:': [trainCommand(), compareCommand(), recipeCommand(), weightsCommand(), verifyResumeCommand()],
    'Judging:': [evaluateCommand(), zeroShotCommand(), reportCommand()],
    'Using what was learnt:': [
      predictCommand(),
      labelCommand(),
      searchCommand(),
      embedCommand(),
      trackCommand(),
      conceptsCommand(),
    ],
    'Other commands:': [completionCommand()],
  };
}

/** Runs the command line and returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv);
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportError(error);
  }
}

/**
 * What holds for every command: mistakes come with a suggestion, and Commander throws instead of calling process.exit, so
 * that there is one way out.
 */
function prepare(command: Command): void {
  command.showHelpAfterError('(add --help for the options)').showSuggestionAfterError().exitOverride();
  for (const child of command.commands) prepare(child);
}
