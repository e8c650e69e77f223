import type { Tensor } from '@chronotope/torch';
import { clipNormalisation, imagenetNormalisation, lssGlobal, svtGlobal } from '../../augment/presets.js';
import type { ContrastiveAugmentation, Normalisation, Range, ScaledCrop, Transform } from '../../augment/settings.js';
import { ClipLoader } from '../../data/loader.js';
import { type SegmentGeometry, segmentPlan, segmentTestPlan, type ViewPlan } from '../../data/views.js';
import type { LssRecipe } from '../../recipes/lss.js';
import type { TestSource, TestViews } from '../trained-method.js';

/** The views that student and teacher see of every training video. */
export function trainingPlan(recipe: LssRecipe): ViewPlan {
  const { clips, augment } = recipe;
  const { mode, localViews, localSize, sameFrames } = clips;
  return segmentPlan(geometryOf(recipe), {
    ...{ mode, localViews, localSize, sameFrames },
    globalTransform: transformOf(recipe, augment.globalArea),
    localTransform: transformOf(recipe, augment.localArea),
  });
}

/** One global view of a training video, for a classifier. */
export function fineTuningPlan(recipe: LssRecipe): ViewPlan {
  const transform = transformOf(recipe, recipe.augment.globalArea);
  const geometry = geometryOf(recipe);
  const options = { mode: 'standard', localViews: 0, localSize: recipe.inputSize } as const;
  const both = segmentPlan(geometry, { ...options, globalTransform: transform, localTransform: transform });
  return {
    views: [{ name: 'clip', shape: [] }],
    clips: (video, random) => both.clips(video, random)?.slice(0, 1) ?? null,
  };
}

/** The clips that a network sees of a video in tests: spread over it, one crop from the middle or three. */
export function evaluationPlan(recipe: LssRecipe, { clips, crops = 1 }: TestViews = {}): ViewPlan {
  const positions = crops === 1 ? (['centre'] as const) : (['first', 'middle', 'last'] as const);
  const transforms = positions.map((position) => scaledCrop(recipe, position));
  return segmentTestPlan({ ...geometryOf(recipe), clips: clips ?? recipe.evaluation.clips, transforms });
}

/** A loader of test clips, for evaluation and embedding. */
export function testLoader(recipe: LssRecipe, source: TestSource, views: TestViews = {}): ClipLoader {
  const plan = evaluationPlan(recipe, views);
  return new ClipLoader({ ...source, plan, size: recipe.inputSize, batchSize: 16, seed: recipe.seed, shuffle: false });
}

/** The views of a batch as `[k, B, 3, T, S, S]`, the global ones first. */
export interface BatchViews {
  globals: Tensor[];
  all: Tensor[];
}

/** Takes the views of a batch that {@link trainingPlan} asked for. */
export function viewsOf(batch: Readonly<Record<string, Tensor>>): BatchViews {
  const named = (prefix: string) =>
    Object.entries(batch).flatMap(([name, view]) => {
      if (name === `${prefix}s`) return [view];
      return name.startsWith(`${prefix}-`) ? [view.unsqueeze(0)] : [];
    });
  const globals = named('global');
  return { globals, all: [...globals, ...named('local')] };
}

function geometryOf({ clips }: LssRecipe): SegmentGeometry {
  const { frames, segmentFrames, fps, virtualFrames, shortVideo } = clips;
  return { frames, segmentFrames, fps, virtualFrames, shortVideo };
}

function transformOf(recipe: LssRecipe, area: Range): Transform {
  const { preset, flip } = recipe.augment;
  if (preset === 'none') return scaledCrop(recipe, 'centre');
  const base: ContrastiveAugmentation = preset === 'lss' ? lssGlobal : svtGlobal;
  const ratio: Range = [3 / 4, 4 / 3];
  return { ...base, randomCrop: { kind: 'resized', area, ratio }, flip, normalise: normalisationOf(recipe) };
}

function scaledCrop(recipe: LssRecipe, position: ScaledCrop['position']): ScaledCrop {
  return { shortSide: 1, position, interpolation: 'bicubic', normalise: normalisationOf(recipe) };
}

function normalisationOf({ augment }: LssRecipe): Normalisation | null {
  return { clip: clipNormalisation, imagenet: imagenetNormalisation, none: null }[augment.normalise];
}
