import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { encode } from '@chronotope/video';

const SIZE = 32;
const FRAMES = 40;

/** A film of one colour with a little noise, so that 30 steps tell two colours apart. */
export async function writeFilm(file: string, red: boolean, seed: number): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true });
  const frames = Uint8Array.from({ length: FRAMES * SIZE * SIZE * 3 }, (_, k) => {
    const bright = k % 3 === (red ? 0 : 2);
    return (bright ? 200 : 30) + ((k * 7 + seed * 13) % 20);
  });
  await encode(frames, file, { width: SIZE, height: SIZE, fps: 20 });
}
