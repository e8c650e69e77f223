// A student step and a pre-training step of TimeBalance against the same steps written plainly in PyTorch, alternating.
//   node bench/timebalance/run.mjs [rounds] [threads] [demo|r3d18] [tuned]        PYTHON chooses the interpreter (default /usr/bin/python3)
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const rounds = Number(process.argv[2] ?? 3);
const threads = process.argv[3] ?? '1';
const python = process.env.PYTHON ?? '/usr/bin/python3';
const file = (name) => fileURLToPath(new URL(name, import.meta.url));

const WORK = [
  { size: 'demo', title: 'demo network', steps: 8 },
  { size: 'r3d18', title: 'R3D-18, quarter width', steps: 2 },
];
/** What is compared with which plain step. Tuned: every convolution by the fastest algorithm (docs/torch-speed.md). */
const ALL_STEPS = [
  { title: 'student step', kind: 'student', plain: 'student' },
  { title: '... tuned', kind: 'student', plain: 'student', tuned: true },
  { title: '... cached teachers', kind: 'student-cached', plain: 'student' },
  { title: '... cached, tuned', kind: 'student-cached', plain: 'student', tuned: true },
  { title: 'pre-training step', kind: 'pretraining', plain: 'pretraining' },
  { title: '... tuned', kind: 'pretraining', plain: 'pretraining', tuned: true },
  { title: '... one pass (joint)', kind: 'pretraining-joint', plain: 'pretraining' },
];

const [only, tuned] = process.argv.slice(4);
const STEPS = ALL_STEPS.filter((step) => tuned === 'tuned' || !step.tuned);
for (const { size, title, steps } of WORK.filter((work) => only === undefined || work.size === only)) {
  console.log(`${title}, ${threads} thread${threads === '1' ? '' : 's'}, processor time`);
  const results = new Map();
  const measure = async (key, command, kind, extra = []) => {
    const args = [...command.slice(1), size, kind, String(steps), threads, ...extra];
    const { stdout } = await promisify(execFile)(command[0], args);
    const result = JSON.parse(stdout);
    const before = results.get(key);
    results.set(key, before && before.milliseconds < result.milliseconds ? before : result);
  };
  for (let round = 0; round < rounds; round++) {
    for (const plain of ['student', 'pretraining']) {
      await measure(plain, [python, file('./step.py')], plain);
      for (const step of STEPS.filter((step) => step.plain === plain)) {
        await measure(step, [process.execPath, file('./step.mjs')], step.kind, step.tuned ? ['tuned'] : []);
      }
    }
  }
  for (const step of STEPS) {
    const [ours, theirs] = [results.get(step), results.get(step.plain)];
    if (ours.parameters !== theirs.parameters) throw new Error(`${step.kind}: the networks differ`);
    const time = `chronotope ${ours.milliseconds.toFixed(0)} ms  pytorch ${theirs.milliseconds.toFixed(0)} ms`;
    const memory = `peak ${ours.peakMiB.toFixed(0)} against ${theirs.peakMiB.toFixed(0)} MiB`;
    const ratio = `ratio ${(theirs.milliseconds / ours.milliseconds).toFixed(2)}`;
    console.log(`  ${step.title.padEnd(22)} ${time.padEnd(40)} ${ratio.padEnd(12)} ${memory}`);
  }
}
