// Augmentation of the TimeBalance kind: our batched operators against Pillow and torchvision frame by frame, the same
// clips with the same draws, one thread each, alternating. Prints the ratio, and how far the pixels differ. Processor
// time is measured, because it suffers less from what else the machine does.
//
//   node bench/augment.mjs [rounds]     needs a Python with torch, torchvision and Pillow (PYTHON, or /usr/bin/python3)

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { augmentClips } from '../packages/chronotope/dist/augment/apply.js';
import { drawTransform } from '../packages/chronotope/dist/augment/draw.js';
import { timebalancePretext } from '../packages/chronotope/dist/augment/presets.js';
import { randomStream } from '../packages/chronotope/dist/random.js';
import { randint, setNumThreads } from '../packages/torch/dist/index.js';

const [CLIPS, FRAMES, HEIGHT, WIDTH, SIZE] = [8, 16, 144, 192, 128];
const rounds = Number(process.argv[2] ?? 15);
const folder = mkdtempSync(join(tmpdir(), 'chronotope-bench-'));
const python = spawn(process.env.PYTHON ?? '/usr/bin/python3', [new URL('augment.py', import.meta.url).pathname], {
  stdio: ['pipe', 'pipe', 'inherit'],
  env: { ...process.env, OMP_NUM_THREADS: '1' },
});
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

try {
  setNumThreads(1);
  const shape = [CLIPS, FRAMES, HEIGHT, WIDTH, 3];
  const clips = randint(0, 256, shape, { dtype: 'uint8' });
  const [frames, out] = [join(folder, 'frames'), join(folder, 'out')];
  writeFileSync(frames, clips.data());
  const ours = [];
  const theirs = [];
  const differences = [];
  for (let round = -1; round < rounds; round++) {
    const augmentations = Array.from({ length: CLIPS }, (_, clip) =>
      drawTransform(timebalancePretext, { height: HEIGHT, width: WIDTH }, SIZE, randomStream(round + 1, 'bench', clip)),
    );
    const started = process.cpuUsage();
    const result = augmentClips(clips, augmentations, SIZE);
    const { user, system } = process.cpuUsage(started);
    const milliseconds = (user + system) / 1000;
    python.stdin.write(`${JSON.stringify({ frames, shape, size: SIZE, augmentations, out })}\n`);
    const { value: answer } = await answers.next();
    if (answer === undefined) throw new Error('the Python side ended');
    // The first round warms both up.
    if (round >= 0) {
      ours.push(milliseconds);
      theirs.push(Number(answer));
      differences.push(meanDifference(result.data(), out));
    }
    result.dispose();
  }
  const ratios = theirs.map((time, round) => time / ours[round]);
  console.log(
    `${CLIPS} clips x ${FRAMES} frames, ${WIDTH} x ${HEIGHT} to ${SIZE} x ${SIZE}, ${rounds} rounds, medians:`,
  );
  console.log(`  batched operators     ${median(ours).toFixed(1)} ms`);
  console.log(`  Pillow, torchvision   ${median(theirs).toFixed(1)} ms`);
  console.log(`  ratio                 ${median(ratios).toFixed(2)}`);
  console.log(
    `  pixels differ by      ${(255 * Math.max(...differences)).toFixed(2)} levels of 255 (the worst round's mean)`,
  );
} finally {
  python.stdin.end();
  rmSync(folder, { recursive: true });
}

function meanDifference(actual, file) {
  const bytes = readFileSync(file);
  const expected = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  let sum = 0;
  for (let k = 0; k < expected.length; k++) sum += Math.abs(actual[k] - expected[k]);
  return sum / expected.length;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
