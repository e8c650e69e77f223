import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { runToEnd } from './children.js';
import { VideoError } from './errors.js';

/** The FFmpeg programs in use. */
export interface FfmpegPrograms {
  /** Path of `ffmpeg`. */
  ffmpeg: string;
  /** Path of `ffprobe`. */
  ffprobe: string;
  /** Version as printed, such as `5.1.9-0+deb12u1`. */
  version: string;
}

const oldestMajorVersion = 4;
const found = new Map<string, Promise<FfmpegPrograms>>();

/**
 * Finds `ffmpeg` and `ffprobe`: where `CHRONOTOPE_FFMPEG` points (the program, or the folder that holds both), else on the
 * `PATH`. The result is remembered; a failure is not, so that an installation is noticed.
 *
 * Throws {@link VideoError} `ffmpeg-missing` or `ffmpeg-too-old` with the command that installs it on this platform.
 */
export function findFfmpeg(): Promise<FfmpegPrograms> {
  const configured = process.env.CHRONOTOPE_FFMPEG ?? '';
  const key = `${configured}\n${process.env.PATH ?? ''}`;
  let programs = found.get(key);
  if (programs === undefined) {
    programs = locate(configured);
    found.set(key, programs);
    programs.catch(() => found.delete(key));
  }
  return programs;
}

/**
 * Names of the video decoders that the FFmpeg in use was built with, such as `h264`.
 *
 * Throws {@link VideoError} as {@link findFfmpeg} does.
 */
export async function listDecoders(): Promise<Set<string>> {
  const { ffmpeg } = await findFfmpeg();
  const { stdout } = await runToEnd(ffmpeg, ['-hide_banner', '-decoders'], { path: ffmpeg, timeoutMs: 20_000 });
  return new Set([...stdout.matchAll(/^ V[A-Z.]{5} (\w+)/gm)].map((match) => match[1]!));
}

/** Output options that keep every decoded frame once, as this version of FFmpeg spells them. */
export function passthroughArguments(version: string): string[] {
  const match = /^n?(\d+)\.(\d+)/.exec(version);
  const knowsFpsMode = match === null || Number(match[1]) > 5 || (Number(match[1]) === 5 && Number(match[2]) >= 1);
  return [knowsFpsMode ? '-fps_mode' : '-vsync', 'passthrough'];
}

async function locate(configured: string): Promise<FfmpegPrograms> {
  const folders = configured === '' ? [] : [resolve((await isFolder(configured)) ? configured : dirname(configured))];
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const explicit = configured !== '' && !(await isFolder(configured)) ? resolve(configured) : null;
  if (configured !== '' && !(await isProgram(explicit ?? join(folders[0]!, programName('ffmpeg'))))) {
    throw missingError(`CHRONOTOPE_FFMPEG is set to ${configured}, but there is no ffmpeg program.`);
  }
  const ffmpeg = explicit ?? (await firstProgram('ffmpeg', [...folders, ...onPath]));
  if (ffmpeg === null) throw missingError('The program ffmpeg was not found.');
  const ffprobe = await firstProgram('ffprobe', [dirname(ffmpeg), ...onPath]);
  if (ffprobe === null) throw missingError(`ffmpeg was found (${ffmpeg}), but ffprobe was not.`);
  return { ffmpeg, ffprobe, version: await readVersion(ffmpeg) };
}

async function readVersion(ffmpeg: string): Promise<string> {
  const { stdout } = await runToEnd(ffmpeg, ['-version'], { path: ffmpeg, timeoutMs: 20_000 });
  const version = /^ffmpeg version (\S+)/.exec(stdout)?.[1];
  if (version === undefined) throw missingError(`${ffmpeg} does not answer like FFmpeg.`);
  const major = /^n?(\d+)\./.exec(version)?.[1];
  if (major !== undefined && Number(major) < oldestMajorVersion) {
    const reason = `FFmpeg ${version} (${ffmpeg}) is too old; version ${oldestMajorVersion} or later is needed.`;
    throw new VideoError({ code: 'ffmpeg-too-old', reason, hint: installHint() });
  }
  return version;
}

async function firstProgram(name: string, folders: string[]): Promise<string | null> {
  for (const folder of folders) {
    const candidate = join(folder, programName(name));
    if (await isProgram(candidate)) return candidate;
  }
  return null;
}

function programName(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

async function isProgram(path: string): Promise<boolean> {
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return executable && !(await isFolder(path));
}

function missingError(reason: string): VideoError {
  return new VideoError({ code: 'ffmpeg-missing', reason, hint: installHint() });
}

function installHint(): string {
  const install: Partial<Record<NodeJS.Platform, string>> = {
    linux:
      'Install it with "sudo apt-get install ffmpeg" (Debian, Ubuntu), "sudo dnf install ffmpeg" (Fedora) or "sudo pacman -S ffmpeg" (Arch)',
    darwin: 'Install it with "brew install ffmpeg"',
    win32: 'Install it with "winget install Gyan.FFmpeg"',
  };
  const command = install[process.platform] ?? 'Install FFmpeg (https://ffmpeg.org/download.html)';
  return `${command}, or set CHRONOTOPE_FFMPEG to the ffmpeg program or to the folder that holds ffmpeg and ffprobe.`;
}
