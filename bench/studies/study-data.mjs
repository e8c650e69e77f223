import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the real data of docs/results.md lie by default. */
export const SHARED_DATA = fileURLToPath(new URL('../../../shared/data', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../packages/chronotope/bin/chronotope.js', import.meta.url));
const LAYOUTS = fileURLToPath(new URL('../real-data.mjs', import.meta.url));

/** The data sets of a study, each made once in its folder. */
export class StudyData {
  /**
   * @param out the folder of the study
   * @param data the folder of the real data sets
   */
  constructor(out, data) {
    this.out = out;
    this.data = data;
  }

  /** What `chronotope demo-data` makes with these options. */
  demo(folder, ...options) {
    const to = path.join(this.out, folder);
    if (existsSync(to)) return to;
    const unfinished = `${to}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    run(PROGRAM, 'demo-data', unfinished, ...options);
    renameSync(unfinished, to);
    return to;
  }

  /** A real data set in one of the layouts of bench/real-data.mjs. */
  real(layout, name) {
    const to = path.join(this.out, layout);
    if (!existsSync(to)) run(LAYOUTS, layout, path.join(this.data, name), to);
    return to;
  }
}

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${path.basename(script)} ${args.join(' ')} failed`);
}
