import { extname } from 'node:path';
import { type ImageSequence, imageFrames, imageSize } from '@chronotope/video';
import type { Outcome, VideoFacts } from './facts.js';
import { orFailure } from './failures.js';
import { HASH_SIDE, PerceptualHasher } from './perceptual-hash.js';

/** As the container of a single image; findings about the length of videos do not concern it. */
export const STILL = 'image';

/**
 * Finds out all there is to know of a sequence of images, by decoding each of them. If one is missing or cannot be read,
 * the sequence cannot be used, and the reason names it.
 *
 * @throws VideoError `aborted`
 */
export function inspectImages(sequence: ImageSequence, signal?: AbortSignal): Promise<Outcome> {
  return orFailure(async () => ({ video: await factsOf(sequence, signal) }));
}

async function factsOf(sequence: ImageSequence, signal?: AbortSignal): Promise<VideoFacts> {
  const { files, fps } = sequence;
  const duration = files.length / fps;
  const hasher = new PerceptualHasher({ start: 0, end: duration });
  const pictures = imageFrames(sequence, { width: HASH_SIDE, height: HASH_SIDE, signal });
  for await (const { data, timestamp } of pictures) hasher.add(data, timestamp);
  const { width, height } = await imageSize(files[0]!);
  return {
    container: files.length === 1 ? STILL : 'images',
    codec: formatOf(files[0]!),
    pixelFormat: 'rgb24',
    width,
    height,
    rotation: 0,
    sampleAspectRatio: 1,
    audio: false,
    frames: files.length,
    duration,
    statedDuration: duration,
    durationOf: 'stream',
    startTime: 0,
    fps,
    statedFps: fps,
    variableFrameRate: false,
    keyframes: files.length,
    keyframeSpacing: 1 / fps,
    decodableShare: 1,
    warnings: await otherSizes(files, width, height),
    perceptualHash: hasher.digest(),
  };
}

async function otherSizes(files: readonly string[], width: number, height: number): Promise<string[]> {
  let [others, example] = [0, ''];
  for (const file of files) {
    const size = await imageSize(file);
    if (size.width === width && size.height === height) continue;
    others += 1;
    example ||= `${size.width}x${size.height}`;
  }
  return others === 0
    ? []
    : [`${others} of ${files.length} images are not ${width}x${height}, but for example ${example}`];
}

function formatOf(file: string): string {
  const extension = extname(file).slice(1).toLowerCase();
  return { jpg: 'jpeg', tif: 'tiff' }[extension] ?? extension;
}
