import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { convolutionChoices, manualSeed, nn, optim, randn, type Tensor, version } from '@chronotope/torch';
import { readJson, writeJsonAtomic } from './json-files.js';
import { type Progress, silentProgress } from './progress.js';
import { PLAIN_TRAINING } from './settings.js';
import { StageFolder } from './stage-folder.js';
import { trainStage } from './train-stage.js';

const root = mkdtempSync(path.join(tmpdir(), 'chronotope-tuned-'));
after(() => rmSync(root, { recursive: true, force: true }));

interface Variant {
  convolutions?: 'default' | 'tuned';
  stopAfter?: number;
  progress?: Progress;
}

/** Trains a layer that several algorithms can compute, in the run `name`. */
async function train(
  name: string,
  { convolutions = 'tuned', stopAfter, progress = silentProgress }: Variant = {},
): Promise<Buffer> {
  const stage = new StageFolder(path.join(root, name, 'stages', 'one'), 'one', path.join(root, name));
  manualSeed(5);
  const module = new nn.Conv2d(32, 32, { kernelSize: 3, padding: 1 });
  const controller = new AbortController();
  await trainStage(stage, module, () => ({
    title: name,
    progress,
    signal: controller.signal,
    settings: { ...PLAIN_TRAINING, convolutions },
    steps: 6,
    optimizer: new optim.SGD(module.parameters(), { lr: 0.05 }),
    schedule: () => 1,
    batch: () => randn([2, 32, 6, 6]),
    loss: (x: Tensor, step: number) => {
      if (step + 1 === stopAfter) controller.abort();
      const loss = module.call(x.requiresGrad_()).square().mean();
      return { loss, metrics: {}, ids: [] };
    },
  })).finally(() => module.dispose());
  return readFileSync(stage.modelFile);
}

const choicesOf = (name: string) => path.join(root, name, 'convolutions.json');

/** A run that finds these choices when it starts. */
function withChoices(name: string, content: string | object): void {
  mkdirSync(path.join(root, name), { recursive: true });
  if (typeof content === 'string') writeFileSync(choicesOf(name), content);
  else writeJsonAtomic(choicesOf(name), content);
}

/** The passes of the layer, each with an algorithm that is not libtorch's own. */
function otherChoices(): Record<string, string> {
  const { choices } = readJson(choicesOf('measured')) as { choices: Record<string, string> };
  return Object.fromEntries(Object.keys(choices).map((pass) => [pass, 'winograd4']));
}

test('a run measures its convolutions once, and goes on with the same ones, bit for bit', async () => {
  await assert.rejects(train('measured', { stopAfter: 2 }), { code: 'interrupted' });
  assert.deepEqual(convolutionChoices(), {}, 'nothing stays tuned when the stage is left');
  const measured = readFileSync(choicesOf('measured'), 'utf8');
  assert.equal(Object.keys(JSON.parse(measured).choices).length, 3, 'three passes of one layer');
  const resumed = await train('measured');
  assert.equal(readFileSync(choicesOf('measured'), 'utf8'), measured);

  mkdirSync(path.join(root, 'whole'));
  copyFileSync(choicesOf('measured'), choicesOf('whole'));
  assert.deepEqual(await train('whole'), resumed);
});

test('the choices in the file are what is computed with, also after an interruption', async () => {
  const content = { format: 'chronotope-convolutions', libtorch: version().torch, choices: otherChoices() };
  for (const name of ['winograd', 'winograd-interrupted']) withChoices(name, content);
  await assert.rejects(train('winograd-interrupted', { stopAfter: 3 }), { code: 'interrupted' });
  const weights = await train('winograd');
  assert.deepEqual(await train('winograd-interrupted'), weights);
  assert.notDeepEqual(
    weights,
    await train('default', { convolutions: 'default' }),
    'other algorithms, other last bits',
  );
});

test('choices of another libtorch are measured again, and the run says so', async () => {
  withChoices('other', { format: 'chronotope-convolutions', libtorch: '0.1.0', choices: otherChoices() });
  const notes: string[] = [];
  await train('other', { progress: { ...silentProgress, note: (line) => notes.push(line) } });
  assert.match(notes.join('\n'), /measured again.*0\.1\.0/);
  assert.equal((readJson(choicesOf('other')) as { libtorch: string }).libtorch, version().torch);
});

test('a damaged file of choices is refused with what to do', async () => {
  const unknown = { format: 'chronotope-convolutions', libtorch: version().torch, choices: { 'a pass': 'fourier' } };
  for (const [i, content] of ['{ "format"', '{}', unknown].entries()) {
    withChoices(`damaged-${i}`, content);
    await assert.rejects(train(`damaged-${i}`), (error: { code?: string; message: string; hint?: string }) => {
      assert.match(error.message, /convolutions\.json/);
      return error.code === 'damaged-file' && error.hint!.includes('Delete it');
    });
  }
});
