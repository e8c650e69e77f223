// Two ranks with one thread each: @chronotope/torch against PyTorch on the same libtorch, alternating.
//   node bench/distributed/run.mjs [rounds]        PYTHON chooses the interpreter (default /usr/bin/python3)
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const rounds = Number(process.argv[2] ?? 3);
const python = process.env.PYTHON ?? '/usr/bin/python3';
const launcher = fileURLToPath(new URL('../../packages/torch/bin/chronotope-run.js', import.meta.url));
const file = (name) => fileURLToPath(new URL(name, import.meta.url));

const WORK = [
  { name: 'all-reduce of one number', kind: 'all-reduce', steps: 2000 },
  { name: '... verified', kind: 'verified-all-reduce', steps: 2000 },
  { name: '8 layers of 1024, batch 32', kind: '32', steps: 20 },
  { name: '8 layers of 1024, batch 256', kind: '256', steps: 10 },
];
const SIDES = {
  chronotope: [file('./step.mjs')],
  pytorch: ['--', python, file('./step.py')],
};

for (const { name, kind, steps } of WORK) {
  const times = { chronotope: [], pytorch: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of Object.keys(SIDES)) times[side].push(await millisecondsOf(SIDES[side], kind, steps));
  }
  const [ours, theirs] = [best(times.chronotope), best(times.pytorch)];
  const figures = `chronotope ${ours.toFixed(3)} ms  pytorch ${theirs.toFixed(3)} ms`;
  console.log(`${name.padEnd(30)} ${figures}  ratio ${(theirs / ours).toFixed(2)}`);
}

async function millisecondsOf(program, kind, steps) {
  const args = [launcher, '--nproc', '2', ...program, kind, String(steps)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout.match(/^\[0\] (.+)$/m)[1]);
}

function best(values) {
  return Math.min(...values);
}
