// CLIP's tokenizer here against a plain Python one: rows of 77 tokens of 10,000 captions, each time with a tokenizer
// that has seen no word yet, one thread, alternating, processor time. Prints the ratio; the rows must be equal.
//
//   node bench/lss/tokenizer.mjs [rounds]     needs a Python with numpy (PYTHON, or /usr/bin/python3)

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ClipTokenizer } from '../../packages/chronotope/dist/language/tokenizer.js';
import { randomStream } from '../../packages/chronotope/dist/random.js';

const CAPTIONS = 10_000;
const rounds = Number(process.argv[2] ?? 7);
const vocabulary = fileURLToPath(
  new URL('../../packages/chronotope/vocabulary/bpe_simple_vocab_16e6.txt.gz', import.meta.url),
);
const folder = mkdtempSync(join(tmpdir(), 'chronotope-bench-'));
const [captionFile, rowFile] = [join(folder, 'captions'), join(folder, 'rows')];
const captions = makeCaptions();
writeFileSync(captionFile, captions.join('\n'));
const python = spawn(
  process.env.PYTHON ?? '/usr/bin/python3',
  [fileURLToPath(new URL('tokenizer.py', import.meta.url)), vocabulary, captionFile],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

try {
  const [ours, theirs] = [[], []];
  for (let round = -1; round < rounds; round++) {
    const tokenizer = new ClipTokenizer();
    const started = process.cpuUsage();
    const rows = tokenizer.rows(captions, { tooLong: 'truncate' });
    const { user, system } = process.cpuUsage(started);
    python.stdin.write(`${rowFile}\n`);
    const { value: answer } = await answers.next();
    if (answer === undefined) throw new Error('the Python side ended');
    if (!readFileSync(rowFile).equals(Buffer.from(rows.data().buffer))) throw new Error('the rows differ');
    rows.dispose();
    // The first round warms both up.
    if (round < 0) continue;
    ours.push((user + system) / 1000);
    theirs.push(Number(answer));
  }
  const ratios = theirs.map((time, round) => time / ours[round]);
  console.log(`${CAPTIONS} captions, ${rounds} rounds, medians, equal rows:`);
  console.log(`  here     ${median(ours).toFixed(0)} ms`);
  console.log(`  Python   ${median(theirs).toFixed(0)} ms`);
  console.log(`  ratio    ${median(ratios).toFixed(1)}`);
} finally {
  python.stdin.end();
  rmSync(folder, { recursive: true });
}

/** Sentences of 5 to 20 words: mostly frequent ones, some rare, some with digits, possessives and punctuation. */
function makeCaptions() {
  const tokenizer = new ClipTokenizer();
  const words = [];
  for (let token = 512; token < tokenizer.start; token++) {
    const word = tokenizer.decode([token]);
    if (/^[a-z]+ $/.test(word)) words.push(word.trim());
  }
  const random = randomStream(1, 'captions');
  const anyOf = (list) => list[Math.floor(random.uniform() * list.length)];
  const word = () => {
    const kind = random.uniform();
    if (kind < 0.8) return words[Math.floor(words.length * random.uniform() ** 3)];
    if (kind < 0.95) return anyOf(words) + anyOf(words);
    return kind < 0.98 ? `${anyOf(words)}'s` : String(Math.floor(random.uniform() * 3000));
  };
  return Array.from({ length: CAPTIONS }, () => {
    const length = 5 + Math.floor(16 * random.uniform());
    const sentence = Array.from({ length }, word).join(' ');
    return `${sentence[0].toUpperCase()}${sentence.slice(1)}${anyOf(['.', '!', '', ', slowly.'])}`;
  });
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
