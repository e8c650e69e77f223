// Is a run's memory flat? Reads what its stages logged, and prints the memory of each stage and how it grew.
// usage: node bench/run-memory.mjs <run folder>
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const MEBIBYTE = 2 ** 20;
const [run] = process.argv.slice(2);
if (run === undefined) {
  console.error('usage: node bench/run-memory.mjs <run folder>');
  process.exit(2);
}

const stages = readdirSync(path.join(run, 'stages'), { recursive: true })
  .filter((file) => path.basename(file) === 'metrics.jsonl')
  .map((file) => path.join(run, 'stages', file))
  .sort((one, other) => statSync(one).mtimeMs - statSync(other).mtimeMs)
  .map((file) => ({
    name: path.relative(path.join(run, 'stages'), path.dirname(file)),
    lines: readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  }));

const peak = (lines, key) => Math.max(...lines.map((line) => line[key]));
console.log('MiB            resident, peak   tensors between steps, first and last');
for (const { name, lines } of stages) {
  const numbers = [peak(lines, 'residentBytes'), lines[0].tensorBytes, lines.at(-1).tensorBytes];
  console.log(`${name.padEnd(32)}${numbers.map((bytes) => (bytes / MEBIBYTE).toFixed(1).padStart(9)).join('')}`);
}
const ratio = (stage, reference, key) => (peak(stage.lines, key) / peak(reference.lines, key)).toFixed(2);
const repeated = stages.filter(({ name }) => name.endsWith(`${path.sep}supervised`));
if (repeated.length > 1) {
  const [first, last] = [repeated[0], repeated.at(-1)];
  console.log(
    `${last.name} over ${first.name}, the same work: resident ${ratio(last, first, 'residentBytes')}, ` +
      `tensors ${ratio(last, first, 'tensorBytes')}`,
  );
}
