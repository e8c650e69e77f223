import { join } from 'node:path';
import { run } from './run.mjs';

/** Compiles what is out of date; `tsc -b` itself knows what that is. */
export function compileTypeScript(root, progress) {
  const started = performance.now();
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const output = run(process.execPath, [compiler, '-b', '--verbose'], {
    cwd: root,
    failure: 'TypeScript does not compile',
  });
  if (/Building project/.test(output)) progress.done('TypeScript compiled', started);
  else progress.present('TypeScript');
}
