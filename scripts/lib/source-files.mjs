import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const NOT_SOURCE = new Set(['node_modules', 'dist', 'build', 'golden']);

/**
 * Every file below `folder` whose name ends with one of `endings`, as sorted paths that start with `folder`.
 * Skips what is installed, built, recorded (`golden`) or hidden. A folder that is absent has no files.
 */
export function sourceFiles(folder, endings) {
  const files = [];
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return files;
    throw error;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || NOT_SOURCE.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...sourceFiles(path, endings));
    else if (endings.some((ending) => entry.name.endsWith(ending))) files.push(path);
  }
  return files;
}
