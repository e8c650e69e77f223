import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { studentsOf } from '../methods/timebalance/stages.js';
import { annotateRecipe, formatRecipe, loadRecipe, loadRecipeOf, purposeOf, shippedRecipes } from './load.js';
import { RECIPE_SCHEMAS } from './schemas.js';

describe('recipes', () => {
  for (const name of shippedRecipes()) {
    test(`${name} is valid and survives being written and read`, () => {
      const recipe = loadRecipe(name);
      assert.deepEqual(RECIPE_SCHEMAS[recipe.method].parse(parse(formatRecipe(recipe))), recipe);
    });
  }

  test('an override changes its own setting and no other that shares an anchor', () => {
    const recipe = loadRecipeOf('timebalance', 'timebalance-demo', ['student.augment.flip=0.5', 'student.steps=7']);
    assert.equal(recipe.student.augment.flip, 0.5);
    assert.equal(recipe.student.steps, 7);
    assert.equal(recipe.teacher.augment.flip, 0);
  });

  test('a recipe that extends another changes what it names, at any depth, and nothing else', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'recipes-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const base = loadRecipeOf('timebalance', 'timebalance-small');
    const own = write('own.yaml', 'extends: timebalance-small\nstudent: { augment: { crop: [0.9, 1] } }\n');
    const wanted = structuredClone(base);
    wanted.student.augment.crop = [0.9, 1];
    assert.deepEqual(loadRecipe(own), wanted);
    // Settings that share an anchor in the recipe below do not share a change above.
    assert.deepEqual(wanted.teacher, base.teacher);
    const second = write('second.yaml', 'extends: own.yaml\nseed: 9\n');
    assert.deepEqual(loadRecipe(second), { ...wanted, seed: 9 });

    assert.throws(() => loadRecipe(write('none.yaml', 'extends: timebalance-smal\n')), {
      code: 'recipe-missing',
      message: /timebalance-smal"/,
      hint: 'Did you mean timebalance-small?',
    });
    assert.throws(() => loadRecipe(write('list.yaml', 'extends: [own.yaml]\n')), /extends: expected the name/);
    write('a.yaml', 'extends: b.yaml\n');
    assert.throws(() => loadRecipe(write('b.yaml', 'extends: a.yaml\n')), /in a circle/);
  });

  test('the preset best differs from small in what its first lines name', () => {
    const { pretrain, student, ...best } = loadRecipeOf('timebalance', 'timebalance-best');
    const small = loadRecipeOf('timebalance', 'timebalance-small');
    assert.deepEqual({ ...best, pretrain: small.pretrain, student: small.student }, small);
    assert.deepEqual({ ...student, teacherBalance: 'none', teacherTemperature: 1 }, small.student);
    for (const pretext of ['invariant', 'distinctive', 'student'] as const) {
      const { epochs, warmupEpochs } = small.pretrain[pretext];
      assert.deepEqual({ ...pretrain[pretext], epochs, warmupEpochs }, small.pretrain[pretext]);
    }
  });

  test('a recipe of another method, or of none, is refused', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'recipes-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'own.yaml');
    const text = formatRecipe(loadRecipe('timebalance-demo'));
    for (const [line, message] of [
      ['method: timebalanc', /method: "timebalanc" is none/],
      ['', /method: is missing/],
    ] as const) {
      writeFileSync(file, text.replace('method: timebalance', line));
      assert.throws(() => loadRecipe(file), message);
    }
  });

  test('unknown keys, wrong values and missing files are named', () => {
    assert.throws(() => loadRecipe('timebalance-demo', ['student.stepz=7']), { code: 'override-invalid' });
    assert.throws(() => loadRecipe('timebalance-demo', ['student.steps=many']), /student\.steps/);
    assert.throws(() => loadRecipe('timebalance-demo', ['clips.globalStride=5']), /clips\.globalStride.*localClips/);
    assert.throws(() => loadRecipe('no-such.yaml'), { code: 'recipe-missing' });
  });

  test('what was meant is suggested: settings, recipes, and settings in a file', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'recipes-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const own = join(folder, 'own.yaml');
    const text = formatRecipe(loadRecipe('timebalance-demo'));
    writeFileSync(own, text.replace('shortVideo:', 'shortVideos:'));

    assert.throws(() => loadRecipe('timebalance-demo', ['student.stpes=7']), { hint: 'Did you mean student.steps?' });
    assert.throws(() => loadRecipe('timebalance-demo', ['student']), { code: 'override-invalid', hint: /key=value/ });
    assert.throws(() => loadRecipe('timebalance-dmo'), { hint: 'Did you mean timebalance-demo?' });
    assert.throws(() => loadRecipe(own), /clips: no setting "shortVideos"; did you mean shortVideo\?/);
    assert.throws(() => loadRecipe(own), /clips\.shortVideo: is missing/);
  });

  test('a setting that a recipe may leave out can be set, with the group that it is in', () => {
    const { semiSupervised } = loadRecipeOf('timebalance', 'timebalance-demo', [
      'semiSupervised.fixMatch.threshold=0.8',
    ]);
    assert.deepEqual([semiSupervised.fixMatch.threshold, semiSupervised.fixMatch.weight], [0.8, 1]);
    assert.throws(() => loadRecipe('timebalance-demo', ['semiSuperwised.start=student']), { code: 'override-invalid' });
    assert.equal(
      loadRecipeOf('timebalance', 'timebalance-demo', ['teacher.augment.squareCrop=true']).teacher.augment.squareCrop,
      true,
    );
  });

  test('a setting of a named student can be set, at any depth, where the recipe has no such student yet', () => {
    const load = (...overrides: string[]) => loadRecipeOf('timebalance', 'timebalance-demo', overrides);
    const recipe = load(
      'students.sharp.student.teacherTemperature=0.5',
      'students.sharp.similarity.map=constant',
      'students.sharp.student.augment.erase.count=0',
      'students.plain={similarity: {map: mean}}',
    );
    assert.deepEqual(recipe.students, {
      sharp: {
        student: { teacherTemperature: 0.5, augment: { erase: { count: 0 } } },
        similarity: { map: 'constant' },
      },
      plain: { similarity: { map: 'mean' } },
    });
    const [, sharp] = studentsOf(recipe);
    assert.equal(sharp!.recipe.student.augment.erase.count, 0);
    assert.equal(sharp!.recipe.student.augment.erase.probability, recipe.student.augment.erase.probability);
    assert.deepEqual(sharp!.recipe.student.augment.crop, recipe.student.augment.crop);

    assert.throws(() => load('students.sharp.student.teacherTemprature=0.5'), {
      code: 'override-invalid',
      hint: 'Did you mean students.sharp.student.teacherTemperature?',
    });
    assert.throws(() => load('students.sharp.studnt.steps=1'), {
      code: 'override-invalid',
      hint: /students\.sharp\.student\.steps/,
    });
    assert.throws(() => load('students.sharp={student: {stpes: 5}}'), /no setting "stpes"; did you mean steps/);
    assert.throws(() => load('students.Sharp.student.steps=1'), /students\.Sharp: expected a name of small letters/);
  });

  test('pre-trainings have the loss weights of the method unless given, and not all of them 0', () => {
    const weights = (...overrides: string[]) => {
      const { pretrain } = loadRecipeOf('timebalance', 'timebalance-demo', overrides);
      return [pretrain.invariant, pretrain.distinctive, pretrain.student].map(({ weights }) => Object.values(weights));
    };
    assert.deepEqual(weights(), [
      [1, 0, 0],
      [0, 1, 1],
      [1, 1, 1],
    ]);
    assert.deepEqual(weights('pretrain.distinctive.weights.globalLocal=0')[1], [0, 1, 0]);
    assert.throws(() => weights('pretrain.invariant.weights.instance=0'), {
      message: /pretrain\.invariant\.weights: one weight must be above 0/,
    });
  });

  test('with its meanings a recipe is still the same recipe', () => {
    const recipe = loadRecipeOf('timebalance', 'timebalance-small');
    const annotated = annotateRecipe(recipe);
    assert.deepEqual(RECIPE_SCHEMAS[recipe.method].parse(parse(annotated)), recipe);
    assert.match(annotated, /\n {2}# frames of a clip\n {2}frames: 8\n/);
    assert.doesNotMatch(annotated, /undefined/);
  });

  test('every shipped recipe says what it is for', () => {
    for (const name of shippedRecipes()) assert.ok(purposeOf(name).length > 20, name);
  });
});
