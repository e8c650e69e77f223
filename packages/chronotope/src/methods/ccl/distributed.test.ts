import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tensor } from '@chronotope/torch';
import type { DistributedStep, RankResult } from '../../testing/ccl-rank.js';
import { assertClose, type Nested, readGolden } from '../../testing/golden.js';

const golden = readGolden<DistributedStep>('ccl/distributed_step.json');
const folder = mkdtempSync(join(tmpdir(), 'ccl-ranks-'));
let results: RankResult[];

before(async () => {
  const program = fileURLToPath(new URL('../../testing/ccl-rank.js', import.meta.url));
  const run = promisify(execFile);
  const outcomes = golden.cases.map((_, rank) =>
    run(process.execPath, [program, join(folder, 'meeting')], {
      env: { ...process.env, RANK: String(rank), WORLD_SIZE: String(golden.cases.length), OMP_NUM_THREADS: '1' },
    }),
  );
  results = (await Promise.all(outcomes)).map(({ stdout }) => JSON.parse(stdout) as RankResult);
});
after(() => rmSync(folder, { recursive: true }));

const close = (actual: Nested, expected: Nested, what: string, relative = 1e-5) =>
  assertClose(tensor(actual, { dtype: 'float64' }), expected, { relative, absolute: 1e-6, what });

test('two ranks: official local losses and gradients, from queues that both share', () => {
  for (const [rank, c] of golden.cases.entries()) {
    const { losses, gradient, gradients } = results[rank]!;
    close(losses.intra, c.loss_intra, 'intra');
    close(losses.cycle, c.loss_cycle, 'cycle');
    close(losses.total, c.loss_total, 'total');
    close(gradient, c.grad_feat_query, 'gradient', 1e-4);
    for (const [key, expected] of Object.entries(c.local_grads)) close(gradients[key]!, expected, key, 1e-4);
  }
});

test('both ranks end with the same queues: the keys of both, in the order of the ranks', () => {
  for (const [rank, c] of golden.cases.entries()) {
    const { state } = results[rank]!;
    close(state.queue!, golden.queue_after, 'queue');
    close(state.queue_cycle!, golden.queue_cycle_after, 'queue_cycle');
    close(state.queue_indices!, [golden.queue_indices_after], 'queue_indices');
    close(state.queue_ptr!, c.queue_ptr, 'queue_ptr');
    close(state.queue_cycle_ptr!, c.queue_cycle_ptr, 'queue_cycle_ptr');
  }
});

test('batches that are shuffled over the ranks are normalised and put back as officially', () => {
  for (const [rank, { shuffle }] of golden.cases.entries()) {
    close(results[rank]!.normalised, shuffle.output_unshuffled, `rank ${rank}`);
  }
});
