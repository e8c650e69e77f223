import { availableParallelism } from 'node:os';
import { automaticWorkers, ClipWorkers } from '../data/clip-workers.js';
import type { ManifestEntry } from '../data/manifest.js';
import type { Bootstrap, Interval } from '../evaluation/bootstrap.js';
import { predictVideos } from '../evaluation/predict-videos.js';
import { meanOverDraws, type Recognition, recognition } from '../evaluation/recognition.js';
import { type ClipAverage, rightAt, trueClasses, type VideoPrediction } from '../evaluation/video-level.js';
import type { FineTuningSettings } from '../methods/fine-tuning.js';
import { type TestViews, trainedMethod } from '../methods/trained-method.js';
import { writeJsonAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { networksOf, networkTitle } from './chosen-weights.js';
import { chosenDevice, type DeviceChoice } from './device.js';
import { type Answers, answers } from './evaluate.js';
import { type FineTuned, withFineTuned } from './fine-tune-network.js';
import { readRunData } from './run-data.js';
import { RunFolder } from './run-folder.js';
import { runRecipe } from './run-recipe.js';
import {
  bootstrapOver,
  type LabelledVideos,
  openFrames,
  openTestVideos,
  type StoredFrames,
  withVideos,
} from './test-videos.js';
import { requireStages } from './trained-networks.js';
import { type LabelChoice, type Labels, labelledEntries, labelSets } from './training-labels.js';

export interface EvaluateFineTuneOptions extends TestViews {
  /** Class folders, a manifest or a list to test on; by default the test videos of the run's own data. */
  data?: string;
  /** By default all that no label had a part in, and only then the result is written to the run folder. */
  stages?: readonly string[];
  /** Weights other than the results of the stages, see {@link NetworkChoice}; default stage: the method's main one. */
  checkpoint?: string;
  /** Whose labels are learnt from. Default `all`. */
  labels?: LabelChoice;
  /** What differs from the method's own settings. */
  settings?: Partial<FineTuningSettings>;
  /** What is averaged over clips and crops. Default `probabilities`. */
  average?: ClipAverage;
  /** Where the networks compute. Default `auto`: on a GPU if there is one. */
  device?: DeviceChoice;
  /** Threads that make batches while a network trains; the results are the same. Default: {@link automaticWorkers}. */
  workers?: number;
  /** How much work a kill may cost, in seconds. Default 60. */
  saveEverySeconds?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

/** What the networks of a run are worth as the start of a classifier. */
export interface FineTuneEvaluation {
  classes: string[];
  /** Number of test videos. */
  videos: number;
  /** The test videos, in the order of all lists with a number for each. */
  ids: string[];
  /** Test and training videos that could not be used. */
  excluded: { id: string; reason: string }[];
  protocol: Required<TestViews> & {
    name: 'fine-tune';
    /** Which weights, if not the results of the stages. */
    checkpoint?: string;
    labels: LabelChoice;
    average: ClipAverage;
    settings: FineTuningSettings;
    /** Labelled training videos, of each label draw or of all of them together. */
    training: number[];
    intervals: Bootstrap['settings'];
  };
  stages: {
    stage: string;
    /** What the network was before, for people. */
    title: string;
    /** One classifier for each network and set of labels. */
    draws: (Recognition & Answers & Pick<FineTuned<unknown>, 'steps' | 'trainingAccuracy'>)[];
    /** Mean over the draws. */
    top1: Interval;
    top5: Interval;
  }[];
}

/**
 * Fine-tunes networks of a run with a new linear layer on labelled training videos, and tests them. Writes
 * `evaluation-fine-tune.json`. Interrupted and started again, it goes on where it stopped.
 *
 * @throws ChronotopeError `no-gpu`, `no-test-videos`, `no-labels`, `stage-unknown`, `batch-not-divisible`, `not-a-run-folder`,
 *   `training-videos-unknown`, `interrupted`; those of `loadWeights` and `trainStage`
 */
export async function evaluateFineTuned(
  folder: string,
  options: EvaluateFineTuneOptions = {},
): Promise<FineTuneEvaluation> {
  const { labels = 'all', average = 'probabilities', progress = silentProgress, signal, saveEverySeconds } = options;
  const run = RunFolder.open(folder);
  const { classes } = run.description;
  const recipe = runRecipe(run);
  const method = trainedMethod(recipe);
  const { checkpoint } = options;
  const unlabelled = method.stages.filter((stage) => method.isShared(stage));
  const wanted = options.stages ?? (checkpoint === undefined ? unlabelled : [method.mainStage]);
  requireStages(recipe, wanted);
  const data = readRunData(run);
  const sets = labelSets(data, labels, classes);
  const settings = { ...method.fineTuning().settings, ...options.settings };
  const views = { clips: options.clips ?? recipe.evaluation.clips, crops: options.crops ?? 1 };
  const device = chosenDevice(options.device);
  const set = { recipe, device, ...views, progress, signal };

  const fineTune = (
    training: StoredFrames,
    workers: ClipWorkers | null,
    test: LabelledVideos,
  ): Promise<FineTunedStage[]> => {
    const { reader, usable } = training;
    const context = { run, recipe, settings, reader, workers, device, progress, signal, saveEverySeconds };
    return inTurn(wanted, async (stage) => {
      // Every draw has a classifier of its own; draws of one pre-trained network differ in the known labels only.
      const draws = labels === 'known' ? data.draws : networksOf(method, { stage, checkpoint }, data.draws);
      const networks = await inTurn([...Array(draws).keys()], (draw) =>
        withFineTuned(
          context,
          { stage, draw, checkpoint },
          labelledAs(usable, sets[draw % sets.length]!, classes),
          (model) => predictVideos(model, test.loader, average),
        ),
      );
      return { stage, title: networkTitle(method, { stage, checkpoint }), networks };
    });
  };

  const evaluation = await withVideos(openTestVideos(run, options.data, set), (test) =>
    withVideos(openFrames(run, labelledEntries(data, sets), set), async (training): Promise<FineTuneEvaluation> => {
      const stages = await withWorkers(options.workers, (workers) => fineTune(training, workers, test));
      const networks = stages.flatMap((stage) => stage.networks);
      // Not those of the loader: frames that turned out to be damaged have no prediction.
      const ids = networks[0]!.result.map(({ id }) => id);
      const bootstrap = bootstrapOver({ ...test, ids }, recipe.seed);
      const counts = sets.map((one) => labelledAs(training.usable, one, classes).length);
      return {
        classes,
        videos: ids.length,
        ids,
        excluded: withoutRepeats([
          ...[...test.excluded, ...test.loader.damaged, ...training.excluded],
          ...networks.flatMap((network) => network.excluded),
        ]),
        protocol: {
          name: 'fine-tune',
          ...(checkpoint !== undefined && { checkpoint }),
          labels,
          ...views,
          average,
          settings,
          training: counts,
          intervals: bootstrap.settings,
        },
        stages: stages.map((stage) => measured(stage, test, classes, bootstrap)),
      };
    }),
  );
  if (options.stages === undefined && checkpoint === undefined)
    writeJsonAtomic(run.path('evaluation-fine-tune.json'), evaluation);
  return evaluation;
}

/** A stage with its fine-tuned networks, and what they say of the test videos. */
interface FineTunedStage {
  stage: string;
  title: string;
  networks: FineTuned<VideoPrediction[]>[];
}

function measured(
  { stage, title, networks }: FineTunedStage,
  { truth }: LabelledVideos,
  classes: readonly string[],
  bootstrap: Bootstrap,
): FineTuneEvaluation['stages'][number] {
  const shareRight = (k: number) =>
    meanOverDraws(
      networks.map(({ result }) => rightAt(result, trueClasses(result, truth), k)),
      bootstrap,
    );
  const draws = networks.map(({ result, steps, trainingAccuracy }) => ({
    ...{ steps, trainingAccuracy },
    ...recognition(result, truth, classes, { bootstrap }),
    ...answers(result),
  }));
  return { stage, title, draws, top1: shareRight(1), top5: shareRight(5) };
}

/** The videos that a set of labels names, with these labels. */
function labelledAs(videos: readonly ManifestEntry[], labels: Labels, classes: readonly string[]): ManifestEntry[] {
  return videos.flatMap((video) => {
    const label = labels.get(video.id);
    return label === undefined ? [] : [{ ...video, label: classes[label]! }];
  });
}

async function withWorkers<T>(
  count = automaticWorkers(availableParallelism()),
  use: (workers: ClipWorkers | null) => Promise<T>,
): Promise<T> {
  const workers = count === 0 ? null : new ClipWorkers(count);
  try {
    return await use(workers);
  } finally {
    await workers?.dispose();
  }
}

/** One after the other. */
async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

/** Several networks leave out the same videos. */
function withoutRepeats(excluded: FineTuneEvaluation['excluded']): FineTuneEvaluation['excluded'] {
  return [...new Map(excluded.map((one) => [one.id, one])).values()];
}
