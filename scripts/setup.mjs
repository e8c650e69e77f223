// Brings a fresh clone to where everything runs: system libraries, npm packages, native addon, compiled TypeScript.
// Uses Node's own modules only, because it runs before npm has installed anything. Does again only what is out of date.
import { checkNodeVersion } from './setup/node-version.mjs';

// The rest is imported after the check: an older Node could not even load it.
if (checkNodeVersion(process.versions.node)) {
  const { main } = await import('./setup/main.mjs');
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.exitCode = 1;
}
