import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import type { Judgement } from './finding.js';

const OLDEST_NODE = [20, 19] as const;
const GIGABYTE = 1e9;
const LITTLE_MEMORY_BYTES = 2 * GIGABYTE;
const LITTLE_DISK_BYTES = 5 * GIGABYTE;

/** Judges the version of Node, e.g. `20.19.0`. */
export function examineNode(version = process.versions.node): Judgement {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const name = 'Node';
  const isNewEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (isNewEnough) return { name, status: 'ok', detail: version };
  const detail = `${version} is too old: ${OLDEST_NODE.join('.')} or newer is needed`;
  return { name, status: 'missing', detail, fix: 'nvm install 22, or https://nodejs.org/en/download' };
}

/** Names the processor, and judges how busy other programs keep it: the load is what waits or runs, on average. */
export function examineProcessor(load = loadavg()[0] ?? 0, cores = availableParallelism()): Judgement {
  const name = 'Processor';
  const model = cpus()[0]?.model.trim() || process.arch;
  const detail = `${model}, ${cores} core(s) for this process`;
  if (load <= 1.5 * cores) return { name, status: 'ok', detail };
  const busy = `${detail}, kept busy by others (load ${load.toFixed(1)})`;
  return { name, status: 'warning', detail: busy, fix: 'top    # shows by whom' };
}

/** Judges the memory this process may still take, in bytes; a container's limit counts. */
export function examineMemory(available = process.availableMemory(), total = totalMemory()): Judgement {
  const detail = `${gigabytes(available)} available of ${gigabytes(total)}`;
  if (available >= LITTLE_MEMORY_BYTES) return { name: 'Memory', status: 'ok', detail };
  const fix = 'Close other programs, give the container more memory, or train with a smaller batch.';
  return { name: 'Memory', status: 'warning', detail, fix };
}

/** Judges the disk under `folder`, where runs and decoded frames will be written. */
export async function examineDisk(folder = process.cwd()): Promise<Judgement> {
  const { bavail, bsize } = await statfs(folder);
  return judgeDisk(bavail * bsize, folder);
}

/** Judges `free` bytes on the disk of `folder`. */
export function judgeDisk(free: number, folder: string): Judgement {
  const detail = `${gigabytes(free)} free in ${folder}`;
  if (free >= LITTLE_DISK_BYTES) return { name: 'Disk', status: 'ok', detail };
  const fix = 'Free some space, or choose a folder on another disk with --out.';
  return { name: 'Disk', status: 'warning', detail, fix };
}

/** Memory of the machine, or of the container where that is less (0 or a huge number where there is no limit). */
function totalMemory(): number {
  const limit = process.constrainedMemory() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function gigabytes(bytes: number): string {
  return `${(bytes / GIGABYTE).toFixed(1)} GB`;
}
