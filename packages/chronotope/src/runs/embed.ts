import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { saveSafetensors } from '@chronotope/torch';
import { ClipReader } from '../data/clip-reader.js';
import type { ManifestEntry } from '../data/manifest.js';
import { type FeatureKind, type VideoFeatures, videoFeatures } from '../evaluation/features.js';
import { type TestViews, trainedMethod } from '../methods/trained-method.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { chosenDevice, type DeviceChoice } from './device.js';
import { prepareVideos } from './prepare-videos.js';
import { RunFolder } from './run-folder.js';
import { runRecipe } from './run-recipe.js';
import { requireStages, withNetwork } from './trained-networks.js';
import { readVideos } from './training-data.js';

/** Which features of videos are computed, and how. */
export interface FeatureOptions extends TestViews {
  /** Whose network. Default: the method's main one, such as the student. */
  stage?: string;
  /** Which label draw's network, from 0; pre-trained ones have no draws. Default 0. */
  draw?: number;
  /** Weights other than the result of the stage, see {@link NetworkChoice}. */
  checkpoint?: string;
  /** Default `pooled`. */
  features?: FeatureKind;
  /** Where the network computes. Default `auto`: on a GPU if there is one. */
  device?: DeviceChoice;
  progress?: Progress;
  signal?: AbortSignal;
}

export interface EmbedOptions extends FeatureOptions {
  /** The safetensors file to write. */
  out: string;
}

/** What {@link embedVideos} wrote. */
export interface Embedding {
  videos: number;
  /** Numbers of one video. */
  dimensions: number;
  excluded: { id: string; reason: string }[];
}

/**
 * Writes the features of videos: one tensor `features`, float32 `[V, D]`, with the metadata `format`
 * (`chronotope-features-1`), `stage`, `draw` (from 1, for classifiers), `checkpoint` (if one was chosen), `features`, `clips`, `crops`, `run` (its fingerprint), and as JSON lists in
 * the order of the rows `ids` and `labels` (`null` where none is known).
 *
 * @param inputs video files, or folders and lists of videos in any layout of docs/datasets.md
 * @throws ChronotopeError `no-gpu`, `stage-unknown`, `not-a-run-folder`, `no-usable-videos`, those of `loadWeights` and `readVideos`
 */
export async function embedVideos(
  folder: string,
  inputs: readonly string[],
  options: EmbedOptions,
): Promise<Embedding> {
  const entries = await inputEntries(inputs);
  const labels = new Map(entries.map(({ id, label }) => [id, label]));
  const { ids, features, excluded, metadata } = await featuresOf(folder, entries, options);
  const ofVideos = { ids: JSON.stringify(ids), labels: JSON.stringify(ids.map((id) => labels.get(id) ?? null)) };
  saveSafetensors(
    options.out,
    { features },
    { metadata: { format: 'chronotope-features-1', ...metadata, ...ofVideos } },
  );
  const dimensions = features.shape[1]!;
  features.dispose();
  return { videos: ids.length, dimensions, excluded };
}

/** Features of videos, and what they are: the network and the views. */
export interface DescribedFeatures extends VideoFeatures {
  excluded: { id: string; reason: string }[];
  metadata: Record<string, string>;
}

/**
 * Decodes videos and computes their features with a network of a run.
 *
 * @throws ChronotopeError `no-gpu`, `stage-unknown`, `not-a-run-folder`, `no-usable-videos`; those of `loadWeights`
 */
export async function featuresOf(
  folder: string,
  entries: readonly ManifestEntry[],
  options: FeatureOptions,
): Promise<DescribedFeatures> {
  const { draw = 0, checkpoint, features: kind = 'pooled', progress = silentProgress, signal } = options;
  const device = chosenDevice(options.device);
  const run = RunFolder.open(folder);
  const recipe = runRecipe(run);
  const method = trainedMethod(recipe);
  const { stage = method.mainStage } = options;
  requireStages(recipe, [stage]);
  const views = { clips: options.clips ?? recipe.evaluation.clips, crops: options.crops ?? 1 };
  const temporary = mkdtempSync(path.join(tmpdir(), 'chronotope-embed-'));
  try {
    const { store, usable, excluded } = await prepareVideos(entries, temporary, recipe.frames, { progress, signal });
    const reader = new ClipReader(store);
    try {
      // Labels are carried through by id; the network has no use for them, and they need not be classes of the run.
      const unlabelled = usable.map((entry) => ({ ...entry, label: null }));
      const loader = method.testLoader({ entries: unlabelled, classes: [], reader, device }, views);
      const { ids, features } = withNetwork(run, recipe, { stage, draw, checkpoint }, ({ backbone }) =>
        videoFeatures(backbone.to({ device }), loader, kind),
      );
      const metadata = {
        run: run.description.fingerprint,
        stage,
        ...(method.isShared(stage) ? {} : { draw: String(draw + 1) }),
        ...(checkpoint !== undefined && { checkpoint }),
        features: kind,
        clips: String(views.clips),
        crops: String(views.crops),
      };
      return { ids, features, excluded: [...excluded, ...loader.excluded, ...loader.damaged], metadata };
    } finally {
      reader.dispose();
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Files under the path they were given by; the videos of a folder or a list under its path and their id in it. */
async function inputEntries(inputs: readonly string[]): Promise<ManifestEntry[]> {
  const entries = new Map<string, ManifestEntry>();
  for (const input of inputs) {
    for (const entry of await entriesOf(input)) {
      const id = inputs.length === 1 || entry.path === input ? entry.id : `${input}/${entry.id}`;
      entries.set(id, { ...entry, id });
    }
  }
  return [...entries.values()];
}

async function entriesOf(input: string): Promise<readonly ManifestEntry[]> {
  const isList = /\.(csv|jsonl|json|txt|tar)$/i.test(input);
  if (isList || statSync(input, { throwIfNoEntry: false })?.isDirectory()) return (await readVideos(input)).entries;
  return [{ id: input, path: input, label: null, split: 'test' }];
}
