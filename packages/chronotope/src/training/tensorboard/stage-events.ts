import path from 'node:path';
import { type nn, noGrad, scope, type Tensor } from '@chronotope/torch';
import { encodeAnimation, encodePicture, type Picture } from '@chronotope/video';
import type { MetricsLine } from '../metrics-window.js';
import type { StageFolder } from '../stage-folder.js';
import { EventFile } from './event-file.js';
import { sessionEnd, sessionStart } from './hparams.js';
import type { Histogram, Image, SummaryValue } from './messages.js';
import { type ClipPictures, clipPictures, type ShownClips } from './shown-clips.js';

const GIB = 2 ** 30;
const BINS = 30;
/** How often a stage shows the distribution of its weights. */
const HISTOGRAMS = 10;

/** How often it shows clips, and how fast they go. */
const CLIPS = { times: 4, fps: 8 };

/** Settings of {@link StageEvents}. */
export interface StageEventsOptions {
  /** Optimiser steps in all. */
  steps: number;
  /** The step of the state from which an interrupted stage goes on, 0 at its start. */
  resumeStep: number;
  /** The settings that a table of runs shows beside their results. Default: none. */
  hparams?: object;
}

/**
 * A stage for TensorBoard: everything that `metrics.jsonl` has as curves; now and then the distribution of the values of
 * every parameter, and clips as the network gets them; the settings, and how it ended.
 */
export class StageEvents {
  readonly #file: EventFile;
  readonly #steps: number;
  #shown: { step: number; clips: [name: string, pictures: ClipPictures][] } | undefined;

  constructor(stage: StageFolder, { steps, resumeStep, hparams = {} }: StageEventsOptions) {
    this.#steps = steps;
    this.#file = new EventFile(path.join(stage.folder, 'events.out.tfevents.chronotope'), resumeStep);
    if (this.#file.isNew) this.#file.write(0, [sessionStart(hparams)]);
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

  /** After each step, counted from 1; writes ten times in all. */
  weights(step: number, module: nn.Module): void {
    if (this.#turn(step, HISTOGRAMS) === this.#turn(step - 1, HISTOGRAMS)) return;
    const values = [...module.namedParameters()].flatMap(([name, parameter]): SummaryValue[] => {
      const histo = histogram(parameter);
      return histo ? [{ tag: `weights/${name}`, histo }] : [];
    });
    this.#file.write(step, values);
  }

  /**
   * Before each step, counted from 1; looks at the first one, and four times in all. The pictures are written by
   * {@link settle}.
   */
  clips(step: number, clips: () => ShownClips): void {
    if (step > 1 && this.#turn(step - 1, CLIPS.times) === this.#turn(step - 2, CLIPS.times)) return;
    const pictures = Object.entries(clips()).map(([name, tensor]): [string, ClipPictures] => [
      name,
      clipPictures(tensor),
    ]);
    if (pictures.length > 0) this.#shown = { step, clips: pictures };
  }

  /** After each step, before anything else of it is written: compresses what it has looked at. */
  async settle(): Promise<void> {
    if (this.#shown === undefined) return;
    const { step, clips } = this.#shown;
    this.#shown = undefined;
    const values: SummaryValue[] = [];
    for (const [name, { still, frames }] of clips) {
      const animation = await encodeAnimation(frames, { fps: CLIPS.fps });
      values.push({ tag: `batch/${name}`, image: imageOf(still, await encodePicture(still)) });
      values.push({ tag: `clips/${name}`, image: imageOf(frames[0]!, animation) });
    }
    this.#file.write(step, values);
  }

  /** The stage has ended after a step, with these results. */
  end(step: number, results: Record<string, number>): void {
    const scalars = Object.entries(under('final', results)).map(([tag, simpleValue]) => ({ tag, simpleValue }));
    this.#file.write(step, [...scalars, sessionEnd()]);
  }

  /** Which of so many equal parts of all steps a step belongs to. */
  #turn(step: number, parts: number): number {
    return Math.floor((parts * step) / this.#steps);
  }
}

function imageOf({ height, width }: Picture, encodedImageString: Uint8Array): Image {
  return { height, width, colorspace: 3, encodedImageString };
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
