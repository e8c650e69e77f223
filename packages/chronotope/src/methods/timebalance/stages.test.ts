import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadRecipeOf } from '../../recipes/load.js';
import { timebalanceRecipe } from '../../recipes/timebalance.js';
import { classifierStages, pretrainingStages, stageRole, stageTitle, studentsOf, teachersOf } from './stages.js';

const recipe = loadRecipeOf('timebalance', 'timebalance-demo');

describe('the stages of a run', () => {
  test('are those of earlier versions where the recipe says nothing of baselines and further students', () => {
    const { baselines, students, semiSupervised, ...rest } = recipe;
    const old = timebalanceRecipe.parse(rest);
    assert.deepEqual(pretrainingStages(old), ['pretrain-invariant', 'pretrain-distinctive', 'pretrain-student']);
    assert.deepEqual(classifierStages(old), [
      ...['supervised', 'supervised-strong', 'pre-trained', 'teacher-invariant', 'teacher-distinctive', 'student'],
    ]);
  });

  test('follow the recipe: its baselines, second teachers where a pair needs them, and every student', () => {
    const own = timebalanceRecipe.parse({
      ...recipe,
      baselines: ['fixmatch', 'supervised'],
      students: { twins: { student: { teacherPair: ['invariant', 'invariant'] } }, alone: {} },
    });
    assert.deepEqual(pretrainingStages(own).slice(3), ['pretrain-invariant-2']);
    assert.deepEqual(classifierStages(own), [
      ...['fixmatch', 'supervised', 'teacher-invariant', 'teacher-distinctive', 'teacher-invariant-2'],
      ...['student', 'student-twins', 'student-alone'],
    ]);
    assert.deepEqual(classifierStages(own).map(stageRole), [
      ...['baseline', 'baseline', 'teacher', 'teacher', 'teacher', 'student', 'student', 'student'],
    ]);
    assert.deepEqual(teachersOf({ teacherPair: ['distinctive', 'distinctive'] }), ['distinctive', 'distinctive-2']);
    assert.equal(stageTitle('student-twins'), 'student: twins');
  });

  test('a further student changes what it names and takes the rest, also settings with a default, from the student', () => {
    const own = timebalanceRecipe.parse({
      ...recipe,
      student: { ...recipe.student, rampUp: 0.5, teachers: 'cached' },
      students: { other: { student: { distillation: 'kld' }, similarity: { clips: 2 } } },
    });
    const [, other] = studentsOf(own);
    assert.deepEqual(other!.recipe.student, { ...own.student, distillation: 'kld' });
    assert.deepEqual(other!.recipe.similarity, { ...own.similarity, clips: 2 });
  });

  test('a mistake in a further student, a baseline named twice and a name that is no folder are refused', () => {
    const parse = (changes: object) => timebalanceRecipe.parse({ ...recipe, ...changes });
    assert.throws(() => parse({ students: { a: { student: { stepz: 3 } } } }), /stepz/);
    assert.throws(() => parse({ students: { a: { student: { steps: 0 } } } }), /steps/);
    assert.throws(() => parse({ students: { '../a': {} } }), /small letters/);
    assert.throws(() => parse({ baselines: ['supervised', 'supervised'] }), /twice/);
  });
});
