import { fileURLToPath } from 'node:url';

/** The path of a file under golden/. */
export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../../golden/${name}`, import.meta.url));
}
