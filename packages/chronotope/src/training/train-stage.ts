import type { nn } from '@chronotope/torch';
import { loadModel, saveModel } from './checkpoint.js';
import { type FitOptions, fit, type MetricsLine } from './fit.js';
import type { Progress } from './progress.js';
import type { StageFolder } from './stage-folder.js';

export interface TrainStageOptions<Batch> extends Omit<FitOptions<Batch>, 'onMetrics'> {
  /** What the stage does, for people. */
  title: string;
  progress: Progress;
}

/**
 * Trains a module as one stage of a run, or loads it when the stage was finished before.
 *
 * @param makeOptions called only if there is something to train
 */
export async function trainStage<Batch>(
  stage: StageFolder,
  module: nn.Module,
  makeOptions: () => TrainStageOptions<Batch>,
): Promise<void> {
  if (stage.isDone) {
    loadModel(stage, module);
    return;
  }
  stage.begin();
  module.train();
  const options = makeOptions();
  const started = performance.now();
  const task = options.progress.begin(options.title, options.steps, 'steps');
  let last: MetricsLine | undefined;
  await fit({
    ...options,
    onMetrics: (line) => {
      stage.log(line);
      last = line;
      task.update(line.step, describe(line));
    },
  });
  saveModel(stage, module);
  stage.finish({ steps: options.steps, seconds: (performance.now() - started) / 1000, metrics: last?.metrics ?? {} });
  task.end(last && describe(last));
}

function describe(line: MetricsLine): string {
  return Object.entries(line.metrics)
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join('  ');
}
