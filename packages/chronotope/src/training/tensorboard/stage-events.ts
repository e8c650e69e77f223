import path from 'node:path';
import { type nn, noGrad, scope, type Tensor } from '@chronotope/torch';
import type { MetricsLine } from '../metrics-window.js';
import type { StageFolder } from '../stage-folder.js';
import { EventFile } from './event-file.js';
import type { Histogram, SummaryValue } from './messages.js';

const GIB = 2 ** 30;
const BINS = 30;
/** How often a stage shows the distribution of its weights. */
const HISTOGRAMS = 10;

/**
 * A stage for TensorBoard: everything that `metrics.jsonl` has as curves, and now and then the distribution of the values
 * of every parameter.
 */
export class StageEvents {
  readonly #file: EventFile;

  /** @param resumeStep the step of the state from which an interrupted stage goes on, 0 at its start */
  constructor(stage: StageFolder, resumeStep: number) {
    this.#file = new EventFile(path.join(stage.folder, 'events.out.tfevents.chronotope'), resumeStep);
  }

  line(line: MetricsLine): void {
    const scalars = {
      ...under('train', line.metrics),
      ...under('validation', line.validation ?? {}),
      learning_rate: line.learningRate,
      samples_per_second: line.samplesPerSecond,
      ...under('time', {
        data: line.dataShare,
        forward: line.forwardShare,
        backward: line.backwardShare,
        optimizer: line.optimizerShare,
      }),
      ...under('memory_gib', { process: line.residentBytes / GIB, tensors: line.tensorBytes / GIB }),
    };
    this.#file.write(
      line.step,
      Object.entries(scalars).map(([tag, simpleValue]) => ({ tag, simpleValue })),
    );
  }

  /** After each of `steps` steps, counted from 1; writes ten times in all. */
  weights(step: number, steps: number, module: nn.Module): void {
    const turn = (at: number) => Math.floor((HISTOGRAMS * at) / steps);
    if (turn(step) === turn(step - 1)) return;
    const values = [...module.namedParameters()].flatMap(([name, parameter]): SummaryValue[] => {
      const histo = histogram(parameter);
      return histo ? [{ tag: `weights/${name}`, histo }] : [];
    });
    this.#file.write(step, values);
  }
}

/** How the values of a tensor are distributed, in bins of equal width; null where they are not all numbers. */
export function histogram(tensor: Tensor): Histogram | null {
  return scope(() =>
    noGrad(() => {
      const values = tensor.detach().to({ dtype: 'float64' }).reshape([-1]);
      const [min, max] = [values.min().item(), values.max().item()];
      if (!Number.isFinite(min) || !Number.isFinite(max)) return null;
      const width = (max - min) / BINS;
      return {
        min,
        max,
        num: values.numel,
        sum: values.sum().item(),
        sumSquares: values.square().sum().item(),
        bucketLimit: Array.from({ length: BINS }, (_, bin) => (bin + 1 === BINS ? max : min + (bin + 1) * width)),
        bucket:
          min === max
            ? [...Array(BINS - 1).fill(0), values.numel]
            : [...values.histc({ bins: BINS, min, max }).data()].map(Number),
      };
    }),
  );
}

function under(group: string, values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${group}/${name}`, value]));
}
