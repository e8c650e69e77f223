import { autocast, noGrad, optim } from '@chronotope/torch';
import type { Batch, ClipLoader } from '../../data/loader.js';
import type { LssRecipe } from '../../recipes/lss.js';
import { cosineSchedule, warmedUp } from '../../training/cosine-schedule.js';
import { gatherSamples } from '../../training/data-parallel.js';
import type { FitOptions, StepLoss } from '../../training/fit.js';
import { objectiveOf } from './objective.js';
import { rateSchedule, StudentOptimizer } from './optimisation.js';
import { acrossViews, type SelfDistillation } from './self-distillation.js';
import { StepMemory } from './step-memory.js';
import { viewsOf } from './views.js';

/** The part of {@link FitOptions} that the method decides. */
export interface DistillationTraining
  extends Pick<FitOptions<Batch>, 'steps' | 'optimizer' | 'schedule' | 'batch' | 'loss' | 'afterStep'> {
  loaders: readonly ClipLoader[];
}

/** Optimiser steps of a run, in all and of an epoch. */
export function stepsOf({ train }: LssRecipe, videos: number): { steps: number; perEpoch: number } {
  const perEpoch = Math.ceil(videos / train.batch);
  return { steps: train.epochs * perEpoch, perEpoch };
}

/** The training of the student; the teacher follows it after every step. */
export function distillationTraining(
  model: SelfDistillation,
  loader: ClipLoader,
  recipe: LssRecipe,
): DistillationTraining {
  const length = stepsOf(recipe, loader.videos);
  const optimizer = new StudentOptimizer(model.student, recipe, length);
  const temperatures = temperaturesOf(recipe);
  const memory = new StepMemory();
  const updateTeacher = teacherUpdate(model, recipe, length.steps);
  return {
    steps: length.steps,
    optimizer,
    schedule: rateSchedule(recipe, length),
    loaders: [loader],
    batch: (index) => loader.stepBatch(index),
    loss: ({ views, ids }, step): StepLoss => {
      optimizer.prepare(step);
      const { globals, all } = viewsOf(views);
      const teacher = noGrad(() => acrossViews(model.teacher, globals));
      const student = acrossViews(model.student, all);
      const moment = {
        temperatures: temperatures(Math.floor(step / length.perEpoch)),
        startsEpoch: step % length.perEpoch === 0,
        memory,
      };
      // The prior and the centre are of the whole batch, whose samples several processes may share.
      const whole = (x: typeof student) => gatherSamples(x.to({ dtype: 'float32' }), 1);
      // Cosines differ by hundredths and are divided by hundredths: they need full precision.
      const device = student.device.startsWith('cuda') ? 'cuda' : 'cpu';
      return autocast({ device, enabled: false }, () => ({
        ...objectiveOf(model, { teacher: whole(teacher), student: whole(student) }, recipe.objective, moment),
        ids,
      }));
    },
    afterStep: (step) => {
      memory.commit();
      updateTeacher?.(step);
    },
  };
}

function temperaturesOf({ objective }: LssRecipe) {
  const { studentTemperature: student, teacherTemperature: to, teacherTemperatureStart: from } = objective;
  const teacher = warmedUp({ from, to, warmupEpochs: objective.teacherWarmupEpochs });
  return (epoch: number) => ({ student, teacher: teacher(epoch) });
}

/** What becomes of the teacher after a step: teacher ← m teacher + (1 − m) student. */
function teacherUpdate({ student, teacher }: SelfDistillation, recipe: LssRecipe, steps: number) {
  const { kind, momentum: from, momentumEnd: to } = recipe.teacher;
  if (kind === 'frozen') return undefined;
  const momentum = cosineSchedule({ from, to, steps });
  const [averages, values] = [teacher.parameters(), student.parameters()];
  return (step: number) => optim.updateAverages_(averages, values, kind === 'copy' ? 0 : momentum(step));
}
