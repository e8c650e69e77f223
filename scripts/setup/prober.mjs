import { installIfPossible } from './system-packages.mjs';

/**
 * Builds the prober of @chronotope/video unless it is up to date, after installing FFmpeg's headers where that is possible
 * without a password. Without it everything works, but new videos are looked at more slowly.
 */
export function provideProber(buildProber, { install, progress }) {
  const started = performance.now();
  let built = buildProber();
  if (built.state === 'left-out' && install && installIfPossible(['libavformat-dev'], progress)) built = buildProber();
  if (built.state === 'fresh') progress.present('prober of videos');
  if (built.state === 'built') progress.done('prober of videos built', started);
  if (built.state !== 'left-out') return;
  progress.warn('The prober of videos was not built; an ffprobe for each new video takes its place, which is slower.', [
    `    ${built.reason}`,
    "    It wants FFmpeg's headers: sudo apt-get install libavformat-dev (Debian, Ubuntu), brew install ffmpeg (macOS)",
  ]);
}
