import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

const OFFLINE_REMEDY = ['If the network or a registry is the matter: npm config get registry; npm ping'];

/** Installs the npm packages of the lock file unless exactly these are installed. */
export function provideNpmPackages(root, progress) {
  if (packagesAreCurrent(root)) return progress.present('npm packages');
  const started = performance.now();
  progress.doing('installing npm packages');
  // Nothing we depend on needs its install script, and npm 11 would ask for each one's approval.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', args, { cwd: root, failure: 'npm could not install the packages', remedy: OFFLINE_REMEDY });
  progress.done('npm packages installed', started);
}

/**
 * Whether node_modules holds what package-lock.json asks for, by npm's own record of what it installed.
 * Optional packages are left out: most of them are binaries for other platforms.
 */
export function packagesAreCurrent(root) {
  const installed = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  if (!installed) return false;
  return Object.entries(packagesIn(join(root, 'package-lock.json')))
    .filter(([path, wanted]) => path.includes('node_modules/') && !wanted.optional)
    .every(([path, wanted]) => installed[path]?.version === wanted.version && installed[path]?.link === wanted.link);
}

/** The `packages` of a lock file; undefined if there is no such file. */
function packagesIn(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
