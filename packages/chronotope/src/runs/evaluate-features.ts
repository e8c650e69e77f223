import { scope, type Tensor, tensor } from '@chronotope/torch';
import type { Bootstrap, Interval } from '../evaluation/bootstrap.js';
import { type FeatureResult, measureFeatures, type ProbeSettings } from '../evaluation/feature-protocols.js';
import { type FeatureKind, type VideoFeatures, videoFeatures } from '../evaluation/features.js';
import { meanOverDraws } from '../evaluation/recognition.js';
import { type TestViews, trainedMethod } from '../methods/trained-method.js';
import { writeJsonAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { networksOf, networkTitle } from './chosen-weights.js';
import { chosenDevice, type DeviceChoice } from './device.js';
import { readRunData } from './run-data.js';
import { RunFolder } from './run-folder.js';
import { runRecipe } from './run-recipe.js';
import { bootstrapOver, openTestVideos, openVideos, withVideos } from './test-videos.js';
import { requireStages, withNetwork } from './trained-networks.js';
import { type LabelChoice, labelledEntries, labelSets } from './training-labels.js';

export interface EvaluateFeaturesOptions extends TestViews, ProbeSettings {
  /** A folder of class folders to test on; by default the `_test` videos of the training data. */
  data?: string;
  /** By default all, pre-trained ones included, and only then the result is written to the run folder. */
  stages?: readonly string[];
  /** Weights other than the results of the stages, see {@link NetworkChoice}; default stage: the method's main one. */
  checkpoint?: string;
  /** Default `all`. */
  labels?: LabelChoice;
  /** Default `pooled`. */
  features?: FeatureKind;
  /** Where the networks compute. Default `auto`: on a GPU if there is one. */
  device?: DeviceChoice;
  progress?: Progress;
  signal?: AbortSignal;
}

/** How far frozen features of a run carry the classes. */
export interface FeatureEvaluation {
  classes: string[];
  /** Number of test videos. */
  videos: number;
  /** The test videos, in the order of every `perVideo`. */
  ids: string[];
  /** Test and training videos that could not be used. */
  excluded: { id: string; reason: string }[];
  protocol: Required<TestViews> & {
    name: ProbeSettings['protocol'];
    /** Which weights, if not the results of the stages. */
    checkpoint?: string;
    labels: LabelChoice;
    features: FeatureKind;
    /** Labelled training videos, of each label draw or of all of them together. */
    training: number[];
    intervals: Bootstrap['settings'];
  };
  stages: {
    stage: string;
    /** What the network is, for people. */
    title: string;
    /** One result for each network and set of labels. */
    draws: FeatureResult[][];
    /** The measures, mean over the draws. */
    measures: ({ name: string } & Interval)[];
  }[];
}

/**
 * Evaluates the frozen features of a run's networks: k-NN and nearest centroid, linear probe, or retrieval. Writes
 * `evaluation-<protocol>.json`.
 *
 * @throws ChronotopeError `no-gpu`, `no-test-videos`, `stage-unknown`, `not-a-run-folder`, `training-videos-unknown`; those of
 *   `loadWeights`
 */
export async function evaluateFeatures(folder: string, options: EvaluateFeaturesOptions): Promise<FeatureEvaluation> {
  const { labels = 'all', features: kind = 'pooled' } = options;
  const { progress = silentProgress, signal } = options;
  const run = RunFolder.open(folder);
  const { classes } = run.description;
  const recipe = runRecipe(run);
  const method = trainedMethod(recipe);
  const { checkpoint } = options;
  const wanted = options.stages ?? (checkpoint === undefined ? method.stages : [method.mainStage]);
  requireStages(recipe, wanted);
  const views = { clips: options.clips ?? recipe.evaluation.clips, crops: options.crops ?? 1 };
  const data = readRunData(run);
  const galleries = labelSets(data, labels, classes);
  const device = chosenDevice(options.device);
  const set = { recipe, device, ...views, progress, signal };
  const jobs = wanted.map((stage) => {
    // Every draw has a classifier of its own; draws of one pre-trained network differ in the known labels only.
    const draws = labels === 'known' ? data.draws : networksOf(method, { stage, checkpoint }, data.draws);
    return { stage, draws };
  });

  const evaluation = await withVideos(openTestVideos(run, options.data, set), (test) =>
    withVideos(openVideos(run, labelledEntries(data, galleries), set), (training): FeatureEvaluation => {
      const networks = jobs.reduce((sum, { draws }) => sum + draws, 0);
      const task = progress.begin('testing features', networks, 'networks');
      let done = 0;
      const measured = jobs.map(({ stage, draws }) => ({
        stage,
        networks: Array.from({ length: draws }, (_, draw) => {
          task.update(done++);
          return withNetwork(run, recipe, { stage, draw, checkpoint }, ({ backbone }) =>
            scope(() => {
              const queries = videoFeatures(backbone.to({ device }), test.loader, kind);
              const gallery = videoFeatures(backbone, training.loader, kind);
              const results = measureFeatures(
                labelled(queries, test.truth, test.groups),
                labelled(gallery, galleries[draw % galleries.length]!, training.groups),
                classes,
                { ...options, bootstrap: bootstrapOver({ ...test, ids: queries.ids }, recipe.seed) },
              );
              return { ids: queries.ids, known: gallery.ids, results };
            }),
          );
        }),
      }));
      // Not those of the loaders: frames that turned out to be damaged have no features.
      const { ids, known } = measured[0]!.networks[0]!;
      task.end(`${ids.length} test videos`);
      const bootstrap = bootstrapOver({ ...test, ids }, recipe.seed);
      return {
        classes,
        videos: ids.length,
        ids,
        excluded: [test, training].flatMap(({ excluded, loader }) => [...excluded, ...loader.damaged]),
        protocol: {
          name: options.protocol,
          ...(checkpoint !== undefined && { checkpoint }),
          labels,
          features: kind,
          ...views,
          training: galleries.map((gallery) => known.filter((id) => gallery.has(id)).length),
          intervals: bootstrap.settings,
        },
        stages: measured.map(({ stage, networks }) => {
          const draws = networks.map(({ results }) => results);
          return {
            stage,
            title: networkTitle(method, { stage, checkpoint }),
            draws,
            measures: overDraws(draws, bootstrap),
          };
        }),
      };
    }),
  );
  if (options.stages === undefined && checkpoint === undefined)
    writeJsonAtomic(run.path(`evaluation-${options.protocol}.json`), evaluation);
  return evaluation;
}

/** Each measure, mean over the draws. */
function overDraws(draws: readonly FeatureResult[][], bootstrap: Bootstrap): ({ name: string } & Interval)[] {
  return draws[0]!.map(({ name }, k) => ({
    name,
    ...meanOverDraws(
      draws.map((results) => results[k]!.perVideo),
      bootstrap,
    ),
  }));
}

/** The rows of the videos that have a label. */
function labelled(
  { ids, features }: VideoFeatures,
  labels: ReadonlyMap<string, number>,
  groups: ReadonlyMap<string, string | undefined>,
): { features: Tensor; ids: string[]; labels: number[]; groups: (string | undefined)[] } {
  const rows = [...ids.keys()].filter((row) => labels.has(ids[row]!));
  const known = rows.map((row) => ids[row]!);
  return {
    features: features.indexSelect(0, tensor(BigInt64Array.from(rows, BigInt))),
    ids: known,
    labels: known.map((id) => labels.get(id)!),
    groups: known.map((id) => groups.get(id)),
  };
}
