import { parseArgs } from 'node:util';
import { type LaunchOptions, launch } from './launch.js';

const USAGE = `Usage: chronotope-run --nproc <N> [options] <script.js | program> [arguments]

Starts N processes of a program that calls initProcessGroup(), as torchrun does for Python.

  --nproc <N>            processes on this host
  --nnodes <N>           hosts; each starts the same command with its own --node-rank (default 1)
  --node-rank <i>        this host's number (default 0)
  --master-addr <host>   where rank 0 is (default 127.0.0.1)
  --master-port <port>   where the ranks meet (default: a free port; needed with several hosts)
  --help                 print this

Files ending in .js, .mjs, .cjs or .ts run in this Node; anything else is a program. Every line is printed with its rank
in front. Exit codes: 0 all ranks succeeded, 2 wrong usage, else that of the first rank that failed.`;

const OPTIONS = {
  nproc: { type: 'string' },
  nnodes: { type: 'string', default: '1' },
  'node-rank': { type: 'string', default: '0' },
  'master-addr': { type: 'string', default: '127.0.0.1' },
  'master-port': { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** Runs the launcher with these command-line arguments (without Node and script) and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let options: LaunchOptions | null;
  try {
    options = launchOptions(args);
  } catch (error) {
    process.stderr.write(`chronotope-run: ${(error as Error).message}\n\n${USAGE}\n`);
    return 2;
  }
  if (options === null) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  return launch(options);
}

/** What the arguments ask for; null for help. */
export function launchOptions(args: readonly string[]): LaunchOptions | null {
  const split = programIndex(args);
  const { values } = parseArgs({ args: args.slice(0, split), options: OPTIONS });
  if (values.help) return null;
  if (values.nproc === undefined) throw new Error('--nproc is missing');
  const [program, ...rest] = args.slice(args[split] === '--' ? split + 1 : split);
  if (program === undefined) throw new Error('the script or program is missing');
  const nodes = wholeNumber('--nnodes', values.nnodes, 1);
  const nodeRank = wholeNumber('--node-rank', values['node-rank'], 0);
  if (nodeRank >= nodes) throw new Error(`--node-rank ${nodeRank} is none of the ${nodes} hosts (they count from 0)`);
  const port = values['master-port'];
  if (port === undefined && nodes > 1) throw new Error('several hosts need --master-addr and --master-port');
  return {
    processes: wholeNumber('--nproc', values.nproc, 1),
    command: /\.([cm]?js|ts)$/.test(program)
      ? [process.execPath, ...process.execArgv, program, ...rest]
      : [program, ...rest],
    nodes,
    nodeRank,
    masterAddress: values['master-addr'],
    masterPort: port === undefined ? undefined : wholeNumber('--master-port', port, 1),
    onLine: (stream, rank, line) => process[stream].write(`[${rank}] ${line}\n`),
    onEvent: (message) => process.stderr.write(`chronotope-run: ${message}\n`),
  };
}

/** Where the launcher's own options end. */
function programIndex(args: readonly string[]): number {
  let index = 0;
  while (index < args.length) {
    const name = /^--([a-z-]+)$/.exec(args[index]!)?.[1];
    if (!args[index]!.startsWith('--') || args[index] === '--') break;
    const takesValue = name !== undefined && name in OPTIONS && OPTIONS[name as keyof typeof OPTIONS].type === 'string';
    index += takesValue ? 2 : 1;
  }
  return index;
}

function wholeNumber(option: string, text: string, least: number): number {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw new Error(`${option} must be a whole number from ${least} up, and is '${text}'`);
}
