// Frames a second of the SiamFC tracker of CCL's evaluation (ResNet-18, exemplar 120, three search images of 255) here and
// written plainly in Python with PyTorch and OpenCV: same weights, same frames, same number of threads, alternating.
// Frames are in memory, so that reading them does not count. Prints the ratio and how far the boxes are apart.
//
//   node bench/ccl/tracker.mjs [--rounds 5] [--frames 4] [--threads 1]     needs a Python with torch, torchvision, cv2

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { newSiamFC, trackerSettings } from '../../packages/chronotope/dist/methods/siamfc/networks.js';
import { trackSequence } from '../../packages/chronotope/dist/methods/siamfc/track-sequence.js';
import { loadRecipeOf } from '../../packages/chronotope/dist/recipes/load.js';
import { convolutionTuning, manualSeed, savePth, setNumThreads, tensor } from '../../packages/torch/dist/index.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    frames: { type: 'string', default: '4' },
    threads: { type: 'string', default: '1' },
    python: { type: 'string', default: process.env.PYTHON ?? '/usr/bin/python3' },
  },
});
const [HEIGHT, WIDTH] = [240, 320];
const HEAD = 512;
const BOX = [130, 90, 50, 40];

const folder = mkdtempSync(join(tmpdir(), 'bench-tracker-'));
const script = fileURLToPath(new URL('tracker.py', import.meta.url));
const python = spawn(options.python, [script, options.threads], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

try {
  setNumThreads(Number(options.threads));
  manualSeed(1);
  const overrides = ['model.backbone=resnet18', `model.head=${HEAD}`, 'model.outScale=0.001'];
  const recipe = loadRecipeOf('tracker', 'tracker-ccl', overrides);
  const network = newSiamFC(recipe).eval();
  const settings = trackerSettings(recipe);
  const count = Number(options.frames) + 1;
  const pixels = movingSquare(count);
  const [weights, frames] = [join(folder, 'weights.pth'), join(folder, 'frames')];
  savePth(weights, network.stateDict());
  writeFileSync(frames, pixels);
  const shape = [count, HEIGHT, WIDTH, 3];
  await ask({ do: 'prepare', weights, frames, shape, head: HEAD, outScale: recipe.model.outScale });

  const track = async () => {
    const { boxes, seconds } = await trackSequence(network, settings, images(pixels, count), BOX);
    return { boxes, seconds: seconds.slice(1).reduce((sum, one) => sum + one, 0) };
  };
  const sides = {
    python: () => ask({ do: 'run', box: BOX }),
    here: () => {
      convolutionTuning({ enabled: false });
      return track();
    },
    'here, tuned convolutions': () => {
      convolutionTuning({ enabled: true });
      return track();
    },
  };
  const seconds = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  const boxes = {};
  for (let round = -1; round < Number(options.rounds); round++) {
    for (const [name, run] of Object.entries(sides)) {
      const result = await run();
      // The first round warms up and tunes.
      if (round >= 0) seconds[name].push(result.seconds);
      boxes[name] = result.boxes.slice(-(count - 1));
    }
  }
  console.log(
    `${count - 1} frames of ${WIDTH} x ${HEIGHT}, ${options.rounds} rounds, ${options.threads} thread(s), medians:`,
  );
  for (const [name, times] of Object.entries(seconds)) {
    const ratios = times.map((time, round) => seconds.python[round] / time);
    const apart = Math.max(
      ...boxes[name].flatMap((box, k) => box.map((value, i) => Math.abs(value - boxes.python[k][i]))),
    );
    const speed = ((count - 1) / median(times)).toFixed(2);
    console.log(
      `  ${name.padEnd(26)} ${speed} frames/s   ratio ${median(ratios).toFixed(2)}   boxes within ${apart.toFixed(2)} px`,
    );
  }
} finally {
  python.stdin.end();
  rmSync(folder, { recursive: true });
}

async function ask(request) {
  python.stdin.write(`${JSON.stringify(request)}\n`);
  const { value } = await answers.next();
  if (value === undefined) throw new Error('the Python side ended');
  return JSON.parse(value);
}

function* images(pixels, count) {
  const size = HEIGHT * WIDTH * 3;
  for (let frame = 0; frame < count; frame++) {
    yield tensor(pixels.subarray(frame * size, (frame + 1) * size), { shape: [HEIGHT, WIDTH, 3] });
  }
}

/** A checked square that moves over a background of stripes. */
function movingSquare(count) {
  const pixels = new Uint8Array(count * HEIGHT * WIDTH * 3);
  let at = 0;
  for (let frame = 0; frame < count; frame++) {
    const [left, top] = [BOX[0] - 1 + 3 * frame, BOX[1] - 1 + 2 * frame];
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        const inside = x >= left && x < left + BOX[2] && y >= top && y < top + BOX[3];
        const light = inside ? (((x - left) >> 3) + ((y - top) >> 3)) % 2 : ((x + 2 * y) >> 4) % 2;
        for (const channel of [0, 1, 2]) pixels[at++] = 60 + 90 * light + 30 * channel * (inside ? 1 : 0);
      }
    }
  }
  return pixels;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
