import { fileURLToPath } from 'node:url';
import { launch } from '../launch.js';

/** What a group of ranks left behind. */
export interface Outcome<R> {
  code: number;
  /** What each rank gave to {@link report}; undefined where it did not come to that. */
  results: (R | undefined)[];
  /** What each rank printed besides. */
  output: string[];
}

const MARK = '@result ';

/** Hands a JSON value from a rank to the test that started it. */
export function report(result: unknown): void {
  process.stdout.write(`${MARK}${JSON.stringify(result)}\n`);
}

/** Runs a program of this folder in `processes` ranks on 127.0.0.1. */
export async function runRanks<R>(processes: number, program: string, ...args: string[]): Promise<Outcome<R>> {
  const results: (R | undefined)[] = Array(processes).fill(undefined);
  const output: string[] = Array(processes).fill('');
  const path = fileURLToPath(new URL(program, import.meta.url));
  const code = await launch({
    processes,
    command: [process.execPath, '--enable-source-maps', path, ...args],
    environment: { ...process.env, OMP_NUM_THREADS: '1' },
    onLine: (_, rank, line) => {
      if (line.startsWith(MARK)) results[rank] = JSON.parse(line.slice(MARK.length)) as R;
      else output[rank] += `${line}\n`;
    },
    onEvent: () => {},
  });
  return { code, results, output };
}

/** {@link runRanks}, whose ranks must all succeed; their results. */
export async function resultsOfRanks<R>(processes: number, program: string, ...args: string[]): Promise<R[]> {
  const { code, results, output } = await runRanks<R>(processes, program, ...args);
  if (code !== 0) throw new Error(`the ranks failed with exit code ${code}:\n${output.join('\n')}`);
  return results as R[];
}
