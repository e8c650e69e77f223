import { counted } from '../../explain/format.js';
import type { LanguageProtocol } from '../../explain/language/content.js';
import { TEMPLATES } from '../../language/templates.js';
import type { ClipRecipe } from '../../recipes/clip.js';
import type { LssRecipe } from '../../recipes/lss.js';
import { type RunData, readTestData } from '../run-data.js';
import type { RunFolder } from '../run-folder.js';
import { IMAGE_FRAMES } from './language-work.js';
import { repeatable, storedFrames } from './protocol.js';

type Settings = [name: string, value: string][];

/** How a run of CLIP or LSS was made, in words. */
export function languageProtocolOf(run: RunFolder, recipe: ClipRecipe | LssRecipe): LanguageProtocol {
  const data = readTestData(run) as Partial<RunData> & ReturnType<typeof readTestData>;
  const { train } = data;
  const captions = train?.filter(({ text }) => text !== undefined).length ?? 0;
  return {
    data: data.folder,
    training: train ? { videos: train.length, captions } : null,
    testVideos: data.test.length,
    seed: recipe.seed,
    learns: recipe.method === 'clip' ? 'captions' : LEARNS[recipe.head.kind],
    settings: recipe.method === 'clip' ? clipSettings(recipe) : lssSettings(recipe, conceptCount(run, recipe)),
    ...repeatable(run, recipe, data),
  };
}

const LEARNS = { text: 'concepts', dino: 'outputs', none: 'features' } as const;

function clipSettings({ frames, inputSize, model, train, evaluation }: ClipRecipe): Settings {
  const { patch, embedding, image, text, pretrained } = model;
  return [
    ['network', `CLIP: ${tower(image)} for frames, ${tower(text)} for sentences of up to ${text.context} tokens`],
    ['starts from', pretrained ?? 'random weights'],
    ['shared space', `${embedding} numbers`],
    ['input', `single frames, ${inputSize} × ${inputSize} pixels in patches of ${patch}`],
    ['stored frames', storedFrames(frames)],
    ['loss', `cross-entropy both ways over a step, scale learnt up to ${train.largestScale}`],
    [
      'training',
      `${counted(train.epochs, 'epoch')}, ${train.batch} videos a step, learning rate ${train.learningRate}`,
    ],
    ...testing(`${counted(evaluation.clips, 'frame')} a video`),
  ];
}

function tower({ width, layers, heads }: ClipRecipe['model']['image']): string {
  return `width ${width}, ${counted(layers, 'block')}, ${counted(heads, 'head')}`;
}

function lssSettings(recipe: LssRecipe, categories: number): Settings {
  const { frames, model, head, teacher, train, evaluation, clips } = recipe;
  const { backbone, width, depth, heads, patch, attention, pretrained } = model;
  const shape = tower({ width, layers: depth, heads });
  return [
    ['network', `${backbone}: ${shape}, patches of ${patch}, attention ${ATTENTION[attention]}`],
    ['starts from', pretrained ?? 'random weights'],
    ['views', viewsOf(recipe)],
    ['stored frames', storedFrames(frames)],
    ...(head.kind === 'text' ? concepts(recipe, categories) : []),
    ['compared by', comparedBy(recipe)],
    ['against collapse', againstCollapse(recipe)],
    ['temperatures', temperatures(recipe)],
    ['teacher', teacherOf(teacher)],
    ['training', trainingOf(train)],
    ...testing(`${counted(evaluation.clips, 'clip')} of ${counted(clips.frames, 'frame')} a video`),
  ];
}

const ATTENTION: Record<LssRecipe['model']['attention'], string> = {
  divided: 'over time and within frames in turn',
  frozen: 'over time and within frames as in Frozen in Time',
  joint: 'over all frames at once',
  'space-only': 'within frames only',
};

function viewsOf({ clips, augment, inputSize }: LssRecipe): string {
  const { frames, segmentFrames, virtualFrames, mode, localViews, localSize, sameFrames } = clips;
  const stretched = virtualFrames === null ? '' : ` of videos stretched to ${virtualFrames}`;
  const local = localViews === 0 ? '' : `, ${localViews} of an eighth of it in ${localSize} × ${localSize} pixels`;
  const same = sameFrames ? ', all of the same frames' : '';
  const speed = mode === 'standard' ? `${frames} frames each` : 'of 2 to 16 frames';
  return `2 of a segment of ${segmentFrames} frames${stretched} in ${inputSize} × ${inputSize} pixels${local}, ${speed}${same}; augmentation ${augment.preset}`;
}

function concepts({ concepts: { file, list, templates, control, descriptions } }: LssRecipe, count: number): Settings {
  const source = file ?? (list === null ? null : `${list}, prompts ${templates}`);
  const meaning = { none: '', random: 'random directions', orthogonal: 'orthogonal directions' };
  const shuffled = 'descriptions dealt to other categories';
  const how = [source, control === 'shuffled' ? shuffled : meaning[control]].filter(Boolean).join(', ');
  const kind = {
    averaged: ', descriptions averaged',
    all: ', an axis for each description',
    none: ', no descriptions',
  };
  return [
    ['concepts', `${counted(count, 'category').replace('categorys', 'categories')}: ${how}${kind[descriptions]}`],
  ];
}

function comparedBy({ head, objective }: LssRecipe): string {
  if (head.kind === 'dino') return `${head.outputs} learnt outputs`;
  if (head.kind === 'none') return 'the direction of their features';
  const { category, description, alignment, alignmentMode } = objective;
  const terms = [
    ['categories', category],
    ['descriptions', description],
    [`alignment of both (${alignmentMode})`, alignment],
  ] as const;
  const used = terms.filter(([, weight]) => weight > 0).map(([name, weight]) => `${name}, weight ${weight}`);
  return `concepts: ${used.join('; ')}`;
}

function againstCollapse({ objective: { uniform, uniformKind, center, centerMomentum } }: LssRecipe): string {
  const prior = uniform > 0 ? [`uniform prior ${uniformKind}, weight ${uniform}`] : [];
  const centring = center ? [`centring, momentum ${centerMomentum}`] : [];
  return [...prior, ...centring].join('; ') || 'nothing';
}

function temperatures({ objective }: LssRecipe): string {
  const { studentTemperature, teacherTemperature, teacherTemperatureStart } = objective;
  const from = teacherTemperatureStart === teacherTemperature ? '' : `${teacherTemperatureStart}, later `;
  return `student ${studentTemperature}, teacher ${from}${teacherTemperature}`;
}

function teacherOf({ kind, momentum, momentumEnd }: LssRecipe['teacher']): string {
  if (kind === 'ema') return `running average of the student, momentum ${momentum} to ${momentumEnd}`;
  return kind === 'copy' ? 'the student as it is' : 'the network of the start';
}

function trainingOf(train: LssRecipe['train']): string {
  const { epochs, batch, learningRate, temporalLearningRate, freezeSpace, freezeProjection } = train;
  const rests = [
    ...(freezeSpace ? ['attention within frames rests'] : []),
    ...(freezeProjection ? ['the projection rests'] : []),
  ];
  const rates = `learning rates ${learningRate} and, over time, ${temporalLearningRate} for steps of 256`;
  return [`${counted(epochs, 'epoch')}, ${batch} videos a step, ${rates}`, ...rests].join('; ');
}

function testing(views: string): Settings {
  return [
    [
      'testing',
      `${views}, square from the middle, mean of their directions; the image CLIP: ${IMAGE_FRAMES} single frames`,
    ],
    ['prompts', `${TEMPLATES.kinetics.length} sentences about each class, such as “${TEMPLATES.kinetics[0]}”`],
  ];
}

/** How many categories the concept space of a run has. */
function conceptCount(run: RunFolder, { concepts: { categories } }: LssRecipe): number {
  const stage = run.stage('concepts');
  const names = stage.isDone ? (stage.result() as { names?: string[] | null }).names : null;
  return names?.length ?? categories;
}
