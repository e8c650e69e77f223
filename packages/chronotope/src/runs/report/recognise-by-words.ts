import { scope, tensor } from '@chronotope/torch';
import type { ManifestEntry } from '../../data/manifest.js';
import type { ClassifierResults } from '../../explain/content.js';
import { spokenName } from '../../language/class-names.js';
import { fillTemplates, TEMPLATES } from '../../language/templates.js';
import { type LanguageModel, openLanguageModel } from '../language-model.js';
import type { LabelledVideos } from '../test-videos.js';
import { embedLoader } from '../video-vectors.js';
import { compareCaptions, predict } from '../zero-shot.js';
import { breathe } from './breathe.js';
import {
  type Answers,
  IMAGE_CLIP,
  IMAGE_FRAMES,
  type LanguageWork,
  type Recognised,
  recognised,
  roleOf,
  titleOf,
} from './language-work.js';

/** The prompts of `chronotope zero-shot`. */
const PROMPTS = TEMPLATES.kinetics;

/** A network to test: of this run, or the image CLIP that the run started from. */
interface TestedNetwork {
  title: string;
  role: ClassifierResults['role'];
  /** A run folder or a file of weights. */
  source: string;
  /** Of this run; absent for a file. */
  stage?: string;
  /** Clips or frames of each video; absent for the recipe's. */
  clips?: number;
}

/** What the finished stages of a run, and the image CLIP, say of the test videos by the names of the classes. */
export async function byWords(work: LanguageWork, done: readonly string[]): Promise<Recognised> {
  const { run, videos, progress, signal } = work;
  const networks = networksOf(work, done);
  const concepts = run.description.classes.map((name) => ({ name: spokenName(name), descriptions: [] }));
  const task = progress.begin('testing', networks.length, 'networks');
  const answers: Answers[] = [];
  for (const { title, role, source, stage, clips } of networks) {
    const model = openLanguageModel(source, { stage });
    const said = scope(() => {
      const embedded = embedLoader(model, unlabelled(model, videos, clips));
      const predictions = predict(model, embedded, concepts, PROMPTS);
      const of = new Map(predictions.map(({ id, probabilities }) => [id, probabilities]));
      return { of, captions: byCaptions(model, embedded, videos.entries) };
    });
    model.dispose();
    answers.push({ stage: source === run.folder ? stage! : title, title, role, ...said });
    task.update(answers.length);
    await breathe(signal);
  }
  task.end();
  return recognised(answers, { by: 'words', prompts: fillTemplates(PROMPTS, concepts[0]!.name) });
}

/** How videos and their sentences find each other; null where fewer than two have one. */
function byCaptions(
  model: LanguageModel,
  { ids, vectors }: ReturnType<typeof embedLoader>,
  entries: readonly ManifestEntry[],
): Answers['captions'] {
  const captionOf = new Map(entries.flatMap(({ id, text }) => (text === undefined ? [] : [[id, text] as const])));
  const rows = [...ids.keys()].filter((row) => captionOf.has(ids[row]!));
  if (rows.length < 2) return null;
  const captions = rows.map((row) => captionOf.get(ids[row]!)!);
  const described = vectors.indexSelect(0, tensor(BigInt64Array.from(rows, BigInt)));
  return { videos: rows.length, ...compareCaptions(model, described, captions) };
}

/** The networks of a run, before them the image CLIP by itself. */
function networksOf({ run, recipe }: LanguageWork, done: readonly string[]): TestedNetwork[] {
  const image = (source: string, stage?: string): TestedNetwork[] => [
    { title: 'image CLIP, middle frame', role: 'baseline', source, stage, clips: 1 },
    { title: IMAGE_CLIP, role: 'baseline', source, stage, clips: IMAGE_FRAMES },
  ];
  if (recipe.method === 'clip') return done.flatMap((stage) => image(run.folder, stage));
  const own = done.map(
    (stage): TestedNetwork => ({ title: titleOf(recipe, stage), role: roleOf(stage), source: run.folder, stage }),
  );
  return [...image(recipe.model.pretrained!), ...own];
}

/** A loader of videos whose labels the network does not get to see. */
export function unlabelled(
  model: LanguageModel,
  { entries, reader }: { entries: readonly ManifestEntry[]; reader: LabelledVideos['reader'] },
  clips?: number,
) {
  return model.loader({ entries: entries.map((entry) => ({ ...entry, label: null })), classes: [], reader }, { clips });
}
