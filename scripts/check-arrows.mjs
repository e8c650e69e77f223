// Checks that imports between packages, and between the folders of packages/chronotope/src, point one way.
// Usage: node scripts/check-arrows.mjs [repository root]
import { fileURLToPath } from 'node:url';
import { findViolations } from './lib/arrows.mjs';

const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));
const violations = findViolations(root);
for (const { file, line, rule, advice } of violations) console.error(`${file}:${line}: ${rule}\n    ${advice}`);
if (violations.length > 0) console.error(`${violations.length} import(s) against the arrows.`);
process.exitCode = violations.length === 0 ? 0 : 1;
