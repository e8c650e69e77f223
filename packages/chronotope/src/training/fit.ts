import { setImmediate } from 'node:timers/promises';
import { type GradScalerState, scope } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import { type Best, type Better, judge } from './best.js';
import { type MetricsLine, type MetricsSums, MetricsWindow, together } from './metrics-window.js';
import { OptimizerStep, type OptimizerStepOptions } from './optimizer-step.js';
import { anywhere, firstDecides, gather } from './processes.js';
import type { AdaptiveRate, Schedule } from './schedule.js';

export type { MetricsLine, MetricsSums } from './metrics-window.js';
export type { StepLoss } from './optimizer-step.js';

/** Settings of {@link fit}. */
export interface FitOptions<Batch> extends OptimizerStepOptions<Batch> {
  steps: number;
  schedule: Schedule;
  /** Makes a further factor of the learning rate that follows the training; from its state where an interrupted run stopped. */
  adaptiveRate?: (state?: unknown) => AdaptiveRate;
  /** Measures the module as it is now and then. */
  validation?: FitValidation;
  /** Runs after each optimiser step, in a scope (for example an average of the weights). */
  afterStep?: (step: number) => void;
  /** Awaited after each step, before its metrics and its state are passed on. */
  settle?: () => Promise<void>;
  onMetrics?: (line: MetricsLine) => void;
  /** Steps between two lines of metrics. Default 10. */
  logEvery?: number;
  /** Where an interrupted run of the same work stopped; model, optimiser and random numbers must be as they were then. */
  resume?: FitState;
  /** Called after each step but the last, with `stopping` when the signal has aborted; may save the state. */
  onStep?: (state: FitState, stopping: boolean) => void;
  signal?: AbortSignal;
}

/** Measurements during training. */
export interface FitValidation {
  /** Steps from one to the next; the last step has one in any case. */
  every: number;
  /** Must not change the weights or libtorch's random numbers. */
  measure: (step: number) => Record<string, number> | Promise<Record<string, number>>;
  /** The name of the measured value that counts. */
  metric: string;
  better: Better;
  /** Stops after this many measurements without improvement. Default: never. */
  patience?: number;
  /** Called when the metric is better than ever, after a step counted from 1. */
  onBest?: (best: Best) => void;
}

/** What `fit` itself must know to go on after a step, as plain values. */
export interface FitState {
  /** Steps done. */
  step: number;
  /** Metrics since the last line. */
  window: MetricsSums;
  scaler?: GradScalerState;
  best?: Best;
  adaptiveRate?: unknown;
}

/** How {@link fit} ended. */
export interface FitResult {
  /** Steps done; fewer than asked for when it stopped early. */
  steps: number;
  /** Of the metric of the validation, if there was one. */
  best?: Best;
}

/**
 * Minimises a loss for a number of optimiser steps.
 *
 * Everything a step makes is freed with it. Between steps the event loop runs, so that Ctrl-C is seen. Several processes
 * that do this together, each with its own batches, measure, log and stop as one.
 *
 * @throws ChronotopeError `loss-not-finite` or `gradients-not-finite`, naming the samples of the batch; `interrupted` when
 *   the signal aborts; `metric-missing`
 */
export async function fit<Batch>(options: FitOptions<Batch>): Promise<FitResult> {
  const { steps, optimizer, schedule, validation, logEvery = 10, resume, signal } = options;
  const baseRates = optimizer.paramGroups.map((group) => group.lr);
  const optimizerStep = new OptimizerStep(options, resume?.scaler);
  const adaptive = options.adaptiveRate?.(resume?.adaptiveRate);
  const followsLoss = !validation || adaptive?.takeMeasurement === undefined;
  let window = new MetricsWindow(resume?.window);
  let best = resume?.best;

  for (let step = resume?.step ?? 0; step < steps; step++) {
    const done = step + 1;
    const factor = schedule(step) * (adaptive?.factor ?? 1);
    for (const [index, group] of optimizer.paramGroups.entries()) group.lr = baseRates[index]! * factor;
    const started = performance.now();
    const loss = await optimizerStep.run(step, window);
    window.time('optimizer', () => scope(() => options.afterStep?.(step)));
    await options.settle?.();
    window.state.milliseconds += performance.now() - started;

    let measured: Record<string, number> | undefined;
    if (validation && (done % validation.every === 0 || done === steps)) {
      measured = await firstDecides(() => validation.measure(done));
      const value = measuredValue(measured, validation.metric);
      best = judge(best, { step: done, value }, validation.better);
      if (best.since === 0) validation.onBest?.(best);
      adaptive?.takeMeasurement?.(done, value);
    }
    if (adaptive && followsLoss) adaptive.takeLoss(done, meanOf(gather(loss)));

    const stopsEarly = measured !== undefined && best!.since >= (validation!.patience ?? Number.POSITIVE_INFINITY);
    const isOver = done === steps || stopsEarly;
    if (done % logEvery === 0 || measured || isOver) {
      const line = new MetricsWindow(together(gather(window.state))).summary(done, baseRates[0]! * factor);
      options.onMetrics?.(measured ? { ...line, validation: measured } : line);
      window = new MetricsWindow();
    }
    await setImmediate();
    if (isOver) return { steps: done, best };
    const stopping = anywhere(signal?.aborted === true);
    const scaler = optimizerStep.scaler.enabled ? optimizerStep.scaler.stateDict() : undefined;
    options.onStep?.({ step: done, window: window.state, scaler, best, adaptiveRate: adaptive?.state }, stopping);
    if (stopping) throw interrupted();
  }
  return { steps, best };
}

function measuredValue(measured: Record<string, number>, metric: string): number {
  const value = measured[metric];
  if (value !== undefined) return value;
  throw new ChronotopeError('metric-missing', `the validation did not measure "${metric}"`, {
    hint: `It measured ${Object.keys(measured).join(', ') || 'nothing'}.`,
  });
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The error with which interrupted work ends; giving the same command again goes on. */
export function interrupted(): ChronotopeError {
  return new ChronotopeError('interrupted', 'interrupted', {
    hint: 'Run the same command again: finished stages are kept and the rest is done.',
  });
}
