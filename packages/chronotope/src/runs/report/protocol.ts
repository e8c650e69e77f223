import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Protocol } from '../../explain/content.js';
import { counted } from '../../explain/format.js';
import { formatRecipe } from '../../recipes/load.js';
import type { VideoRecipe } from '../../recipes/schemas.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { readJson } from '../../training/json-files.js';
import { type RunData, readTestData } from '../run-data.js';
import type { RunFolder } from '../run-folder.js';

/** How a run was made, in words. */
export function protocolOf(run: RunFolder, recipe: TimeBalanceRecipe): Protocol {
  const data = readTestData(run) as Partial<RunData> & ReturnType<typeof readTestData>;
  const { train, labels } = data;
  return {
    data: data.folder,
    training:
      train && labels
        ? { videos: train.length, labelledPerDraw: labels.map((known) => Object.keys(known).length) }
        : null,
    testVideos: data.test.length,
    draws: data.draws,
    seed: recipe.seed,
    settings: settingsOf(recipe),
    ...repeatable(run, recipe, data),
  };
}

/** What it takes to train a run of any method again. */
export function repeatable(
  run: RunFolder,
  recipe: VideoRecipe,
  data: Pick<RunData, 'folder' | 'draws' | 'choice'>,
): Pick<Protocol, 'recipe' | 'machine' | 'command'> {
  return { recipe: formatRecipe(recipe), machine: machineOf(run), command: commandOf(run, recipe, data) };
}

function settingsOf(recipe: TimeBalanceRecipe): [string, string][] {
  const { frames, clips, inputSize, model, pretrain, supervised, teacher, similarity, student, evaluation } = recipe;
  const network =
    model.backbone === 'small-r3d'
      ? `small R3D, widths ${model.widths.join(', ')}, ${counted(model.blocks, 'block')} a stage`
      : `${model.backbone}${model.width === null ? '' : `, width ${model.width}`}`;
  const labelled = ({ steps, batch, learningRate }: TimeBalanceRecipe['teacher']) =>
    `${steps} steps of ${batch} labelled videos, learning rate ${learningRate}`;
  return [
    ['network', network],
    ['input', `clips of ${clips.frames} frames, stride ${clips.stride}, ${inputSize} × ${inputSize} pixels`],
    ['stored frames', storedFrames(frames)],
    ...(['invariant', 'distinctive', 'student'] as const).map((pretext): [string, string] => {
      const { epochs, batch, learningRate, from } = pretrain[pretext];
      if (from !== null) return [`pre-training, ${pretext}`, `none: weights from ${from}`];
      return [`pre-training, ${pretext}`, `${epochs} epochs, ${batch} videos a step, learning rate ${learningRate}`];
    }),
    ['supervised baseline', labelled(supervised)],
    ['fine-tuning of the teachers', labelled(teacher)],
    ['temporal similarity', `${similarity.clips} clips a video, ${similarity.source} features, map ${similarity.map}`],
    ['student', `${labelled(student)}, and ${student.unlabelledBatch} unlabelled ones`],
    [
      'distillation',
      `${student.distillation}, weight ${student.unlabelledWeight} on unlabelled and ${student.labelledWeight} on labelled videos`,
    ],
    ...deviations(student),
    ['student starts from', student.start],
    ['testing', `${evaluation.clips} clips a video, mean of the softmax, centre crop of ${evaluation.centreCrop}`],
  ];
}

/** How videos are kept, in words. */
export function storedFrames({ shortSide, fps }: VideoRecipe['frames']): string {
  return `short side ${shortSide} pixels, ${fps === null ? 'all frames' : `${fps} frames a second`}`;
}

/** What is done to the teachers' mixture beyond the published method. */
function deviations({
  teacherTemperature,
  teacherBalance,
  teacherConfidence,
}: TimeBalanceRecipe['student']): [string, string][] {
  const done = [
    ...(teacherBalance === 'labelled' ? ['balanced by class, as the labels are'] : []),
    ...(teacherTemperature === 1 ? [] : [`sharpened by a temperature of ${teacherTemperature}`]),
    ...(teacherConfidence === 0 ? [] : [`left out where less sure than ${teacherConfidence}`]),
  ];
  return done.length === 0 ? [] : [['what the teachers say is', done.join(', ')]];
}

function machineOf(run: RunFolder): [string, string][] {
  const file = run.path('environment.json');
  if (!existsSync(file)) return [];
  return Object.entries(readJson(file) as Record<string, unknown>).map(([name, value]) => [name, String(value)]);
}

function commandOf(
  run: RunFolder,
  { method }: VideoRecipe,
  { folder, draws, choice }: Pick<RunData, 'folder' | 'draws' | 'choice'>,
): string | null {
  if (choice === undefined) return null;
  const { labelsPerClass, labelsFile, pretrained } = choice;
  const options: [string, string | number | undefined][] = [
    ['--data', folder],
    ['--out', `${path.resolve(run.folder)}-again`],
    ['--recipe', path.resolve(run.path('recipe.yaml'))],
    ['--labels-per-class', labelsPerClass],
    ['--label-draws', draws > 1 ? draws : undefined],
    ['--labels', labelsFile],
    ['--pretrained', pretrained],
  ];
  const given = options.flatMap(([name, value]) => (value === undefined ? [] : `${name} ${quoted(String(value))}`));
  return [`chronotope train ${method}`, ...given].join(' \\\n  ');
}

/** A word of a command for a POSIX shell. */
export function quoted(text: string): string {
  return /^[\w./:=+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
