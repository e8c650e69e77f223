// Is TypeScript as fast as Python? The same work on the same libtorch with the same number of threads, alternating, in
// two long-lived processes; memory in fresh ones. Needs a python3 with torch and torchvision. Everything takes some five
// minutes on two cores that do nothing else.
// usage: node bench/torch/compare.mjs [--rows add,r3d18,…] [--rounds 5] [--threads 2] [--python /usr/bin/python3]

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { MEMORY_ROWS, ROWS } from './lib/rows.mjs';
import { startWorker } from './lib/worker.mjs';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    python: { type: 'string', default: '/usr/bin/python3' },
  },
});
const rounds = Number(options.rounds);
const wanted = options.rows?.split(',');
const isWanted = ({ name }) => wanted === undefined || wanted.includes(name);
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const startPython = () => startWorker(options.python, [here('lib/side.py'), options.threads]);
const startOurs = () => startWorker(process.execPath, [here('lib/side.mjs'), options.threads]);

/** Single operators take no time, and are measured more often. */
const roundsOf = ({ repeat }) => (repeat > 1 ? 4 * rounds : rounds);
/** What is slower here, or takes more memory. */
const missed = [];

const folder = mkdtempSync(path.join(tmpdir(), 'bench-torch-'));
try {
  await compareTimes(ROWS.filter(isWanted));
  await compareMemory(MEMORY_ROWS.filter(isWanted));
  console.log(missed.length === 0 ? 'no ratio is below 1' : `below 1: ${missed.join('; ')}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Prints the least time of each side over the rounds, elapsed and spent on processors, and Python's over ours. */
async function compareTimes(rows) {
  if (rows.length === 0) return;
  const python = startPython();
  const ours = startOurs();
  const table = new Table({
    head: ['row', 'Python', 'here', 'ratio', 'ratio of CPU time', 'losses differ by'],
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    const weights = path.join(folder, row.task);
    const task = { ...row, weights };
    const prepared = [await python.ask({ ...task, do: 'prepare' }), await ours.ask({ ...task, do: 'prepare' })];
    const best = [newBest(), newBest()];
    for (let round = 0; round <= roundsOf(row); round++) {
      const measured = [await python.ask({ ...task, do: 'run' }), await ours.ask({ ...task, do: 'run' })];
      if (round === 0) continue; // warms up
      for (const side of [0, 1]) improve(best[side], measured[side]);
    }
    noteIfMissed(row, best[0].elapsed / best[1].elapsed);
    table.push([
      row.title,
      readable(best[0].elapsed / row.repeat),
      readable(best[1].elapsed / row.repeat),
      (best[0].elapsed / best[1].elapsed).toFixed(2),
      (best[0].cpu / best[1].cpu).toFixed(2),
      agreement(prepared),
    ]);
    await Promise.all([python.ask({ do: 'forget' }), ours.ask({ do: 'forget' })]);
    console.error(`${row.name}: done`);
  }
  python.stop();
  ours.stop();
  console.log(
    `${options.threads} threads, least of ${rounds} rounds (single operators: ${4 * rounds}); a ratio above 1 means faster here`,
  );
  console.log(table.toString());
}

/** Prints by how much the resident set grew at most during a few training steps. */
async function compareMemory(rows) {
  if (rows.length === 0) return;
  const table = new Table({ head: ['row', 'Python', 'here', 'ratio'], style: { head: [], border: [] } });
  for (const row of rows) {
    const grown = [];
    for (const start of [startPython, startOurs]) {
      const side = start();
      grown.push((await side.ask({ ...row, do: 'memory' })).bytes);
      side.stop();
    }
    noteIfMissed(row, grown[0] / grown[1]);
    const mebibytes = grown.map((bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`);
    table.push([row.title, ...mebibytes, (grown[0] / grown[1]).toFixed(2)]);
  }
  console.log('growth of the resident set during training, each in a fresh process');
  console.log(table.toString());
}

function noteIfMissed({ name }, ratio) {
  if (ratio < 1) missed.push(`${name} ${ratio.toFixed(2)}`);
}

function newBest() {
  return { elapsed: Infinity, cpu: Infinity };
}

function improve(best, { elapsed, cpu }) {
  best.elapsed = Math.min(best.elapsed, elapsed);
  best.cpu = Math.min(best.cpu, cpu);
}

/**
 * From the same weights on the same inputs, both sides must see the same losses. After two steps, rounding errors of the
 * gradients have grown.
 */
function agreement([theirs, ours]) {
  if (theirs.losses.length === 0) return '';
  const differences = theirs.losses.map((loss, i) => Math.abs(loss - ours.losses[i]) / Math.abs(loss));
  return `${differences[0].toExponential(0)}, then ${differences.at(-1).toExponential(0)}`;
}

function readable(seconds) {
  if (seconds < 1e-3) return `${(seconds * 1e6).toFixed(2)} µs`;
  return `${(seconds * 1e3).toFixed(1)} ms`;
}
