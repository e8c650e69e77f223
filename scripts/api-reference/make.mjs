// Writes the API reference of the three packages into docs/api (ignored by git), from the doc comments of what their
// index.ts exports. Usage: npm run docs
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';

const root = fileURLToPath(new URL('../..', import.meta.url));
const output = `${root}docs/api`;

const app = await Application.bootstrap({
  name: 'Chronotope',
  entryPointStrategy: 'packages',
  entryPoints: ['torch', 'video', 'chronotope'].map((name) => `${root}packages/${name}`),
  packageOptions: {
    entryPoints: ['src/index.ts'],
    readme: 'none',
    skipErrorChecking: true, // tsc has done it, and TypeDoc's TypeScript is an older one.
    excludePrivate: true,
    disableSources: true, // They would link to a commit, which changes every page with every commit.
  },
  excludePrivate: true,
  readme: `${root}scripts/api-reference/welcome.md`,
  out: output,
  includeVersion: true,
  navigation: { includeGroups: true },
  logLevel: 'Error',
});
const project = await app.convert();
if (project) await app.generateOutputs(project);
if (!project || app.logger.hasErrors()) process.exit(1);
console.log(`API reference: ${output}/index.html`);
