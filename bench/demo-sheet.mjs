// Draws some demo videos of every class, three frames of each, as one picture: docs/images/demo-data.jpg.
//
//   node bench/demo-sheet.mjs <file.jpg> [seed]
import { writeFile } from 'node:fs/promises';
import { encodePicture } from '@chronotope/video';

const DIST = '../packages/chronotope/dist/demo';
const { demoClasses } = await import(`${DIST}/demo-classes.js`);
const { demoSize, planDemoVideo, renderDemoVideo } = await import(`${DIST}/render.js`);

const [file, seed = '1'] = process.argv.slice(2);
const VIDEOS = 3;
const MOMENTS = [0, 0.5, 1];
const GAP = 4;
const frameBytes = demoSize * demoSize * 3;

/** Two classes side by side: the pairs are neighbours. */
const COLUMNS = 2;
const blockWidth = VIDEOS * (MOMENTS.length * demoSize + GAP) + 2 * GAP;
const width = COLUMNS * blockWidth;
const height = (demoClasses.length / COLUMNS) * (demoSize + GAP);
const data = new Uint8Array(width * height * 3).fill(255);

for (const classIndex of demoClasses.keys()) {
  const left = (classIndex % COLUMNS) * blockWidth;
  const top = Math.floor(classIndex / COLUMNS) * (demoSize + GAP);
  for (let index = 0; index < VIDEOS; index++) {
    const plan = planDemoVideo({ seed: Number(seed), part: 'train', classIndex, index });
    const video = renderDemoVideo(plan);
    for (const [column, moment] of MOMENTS.entries()) {
      const frame = video.subarray(Math.round(moment * (plan.frames - 1)) * frameBytes);
      const x = left + index * (MOMENTS.length * demoSize + GAP) + column * demoSize;
      for (let row = 0; row < demoSize; row++) {
        data.set(frame.subarray(row * demoSize * 3, (row + 1) * demoSize * 3), ((top + row) * width + x) * 3);
      }
    }
  }
}
await writeFile(file, await encodePicture({ data, width, height }, { format: 'jpeg', quality: 85 }));
