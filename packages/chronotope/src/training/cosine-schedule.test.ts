import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertClose, readGolden } from '../testing/golden.js';
import type { GoldenTensor } from '../testing/golden-tensors.js';
import { cosineSchedule, warmedUp } from './cosine-schedule.js';

interface ScheduleCase {
  name: string;
  args: Record<string, number>;
  schedule: GoldenTensor;
}

describe('cosine schedules are those of the official code', () => {
  for (const { name, args, schedule } of readGolden<{ cases: ScheduleCase[] }>('lss/schedules.json').cases) {
    test(name, () => {
      const perEpoch = args.niter_per_ep ?? 1;
      const steps = schedule.data.length;
      const value = cosineSchedule({
        from: args.base_value ?? args.lr!,
        to: args.final_value ?? args.eta_min!,
        steps,
        warmupSteps: (args.warmup_epochs ?? 0) * perEpoch,
        warmupFrom: args.start_warmup_value,
      });
      for (const [step, expected] of schedule.data.entries()) {
        assertClose(value(step), expected, { relative: 1e-12, absolute: 1e-15, what: `step ${step}` });
      }
    });
  }
});

test("the teacher's temperature rises over the warm-up and stays", () => {
  interface Case {
    args: { warmup_teacher_temp: number; teacher_temp: number; warmup_teacher_temp_epochs: number };
    teacher_temp_schedule: GoldenTensor;
  }
  for (const { args, teacher_temp_schedule: expected } of readGolden<{ cases: Case[] }>('lss/dino_loss.json').cases) {
    const temperature = warmedUp({
      from: args.warmup_teacher_temp,
      to: args.teacher_temp,
      warmupEpochs: args.warmup_teacher_temp_epochs,
    });
    for (const [epoch, value] of expected.data.entries()) assert.ok(Math.abs(temperature(epoch) - value) < 1e-15);
  }
});
