import { isMapping } from '../../mapping.js';
import type { Baseline, StudentSettings, TimeBalanceRecipe } from '../../recipes/timebalance.js';

/** What a self-supervised pre-training learns: for one of the teachers, or for the student to start from. */
export type Pretext = 'invariant' | 'distinctive' | 'student';

/** A kind of teacher. */
export type TeacherKind = StudentSettings['teacherPair'][number];

/** A teacher network; `-2` is the second of its kind, pre-trained and fine-tuned from another seed. */
export type Teacher = TeacherKind | `${TeacherKind}-2`;

/** A stage that needs no labels. */
export type PretrainingStage = `pretrain-${Pretext | Teacher}`;

/** A stage that trains a classifier. */
export type ClassifierStage = Baseline | `teacher-${Teacher}` | 'student' | `student-${string}`;

/** A stage that leaves a network. */
export type NetworkStage = PretrainingStage | ClassifierStage;

/** What a classifier is there for. */
export type StageRole = 'baseline' | 'teacher' | 'student';

/** The pre-trainings of every run. Their results can serve another run with the same network and clips. */
export const PRETRAINING_STAGES = [
  'pretrain-invariant',
  'pretrain-distinctive',
  'pretrain-student',
] as const satisfies PretrainingStage[];

const TITLES: Record<Exclude<PretrainingStage | ClassifierStage, `student-${string}`>, string> = {
  'pretrain-invariant': 'pre-training, invariant',
  'pretrain-distinctive': 'pre-training, distinctive',
  'pretrain-student': 'pre-training, all three losses',
  'pretrain-invariant-2': 'pre-training, invariant, second seed',
  'pretrain-distinctive-2': 'pre-training, distinctive, second seed',
  supervised: 'supervised only, from scratch',
  'supervised-strong': 'supervised only, augmented as in pre-training',
  'pre-trained': 'pre-trained with all three losses + fine-tuned',
  'pseudo-label': 'pseudo-labels',
  'mean-teacher': 'mean teacher',
  fixmatch: 'FixMatch',
  'teacher-invariant': 'temporally-invariant teacher',
  'teacher-distinctive': 'temporally-distinctive teacher',
  'teacher-invariant-2': 'temporally-invariant teacher, second seed',
  'teacher-distinctive-2': 'temporally-distinctive teacher, second seed',
  student: 'TimeBalance student',
};

/** Every stage whose name does not come from a recipe. */
export const KNOWN_STAGES = Object.keys(TITLES) as (keyof typeof TITLES)[];

/** What a stage's network is, for people. */
export function stageTitle(stage: NetworkStage): string {
  return (TITLES as Record<string, string>)[stage] ?? `student: ${stage.slice('student-'.length)}`;
}

/** What a classifier is there for. */
export function stageRole(stage: ClassifierStage): StageRole {
  if (stage.startsWith('teacher-')) return 'teacher';
  return stage === 'student' || stage.startsWith('student-') ? 'student' : 'baseline';
}

/** Whether the label draws share the stage's network, because it needs no labels. */
export function isPretraining(stage: NetworkStage): stage is PretrainingStage {
  return stage.startsWith('pretrain-');
}

/** The pre-trainings of a run with this recipe, in the order of training. */
export function pretrainingStages(recipe: TimeBalanceRecipe): PretrainingStage[] {
  return [...PRETRAINING_STAGES, ...secondTeachers(recipe).map((teacher) => `pretrain-${teacher}` as const)];
}

/** The classifiers of one label draw of a run with this recipe, in the order in which they are trained. */
export function classifierStages(recipe: TimeBalanceRecipe): ClassifierStage[] {
  const teachers = (['invariant', 'distinctive', ...secondTeachers(recipe)] as const).map(
    (teacher) => `teacher-${teacher}` as const,
  );
  return [...recipe.baselines, ...teachers, ...studentsOf(recipe).map(({ stage }) => stage)];
}

/** The stage folder of a classifier. */
export function stageName(draw: number, stage: ClassifierStage): string {
  return `draw-${draw + 1}/${stage}`;
}

/** One student of a run. */
export interface Student {
  stage: 'student' | `student-${string}`;
  /** The run's recipe with this student's `student` and `similarity`. */
  recipe: TimeBalanceRecipe;
}

/** The student of the recipe and its further ones, which share all that comes before them. */
export function studentsOf(recipe: TimeBalanceRecipe): Student[] {
  const further = Object.entries(recipe.students).map(
    ([name, changes]): Student => ({
      stage: `student-${name}`,
      recipe: {
        ...recipe,
        student: changed(recipe.student, changes.student),
        similarity: changed(recipe.similarity, changes.similarity),
      },
    }),
  );
  return [{ stage: 'student', recipe }, ...further];
}

/** A group of settings with some of them changed, at any depth; the recipe's schema has checked the changes. */
function changed<T extends object>(settings: T, changes: object = {}): T {
  const own = Object.entries(changes).map(([name, change]) => {
    const before = settings[name as keyof T];
    return [name, isMapping(before) && isMapping(change) ? changed(before, change) : change];
  });
  return { ...settings, ...Object.fromEntries(own) };
}

/** The networks of a pair: of two of one kind, the second has a name of its own. */
export function teachersOf({ teacherPair }: Pick<StudentSettings, 'teacherPair'>): Teacher[] {
  return teacherPair.map((kind, place) => (teacherPair.indexOf(kind) < place ? (`${kind}-2` as const) : kind));
}

/** The kind of a teacher. */
export function kindOf(teacher: Teacher): TeacherKind {
  return teacher.startsWith('invariant') ? 'invariant' : 'distinctive';
}

/** The second networks of a kind that some student has among its teachers. */
function secondTeachers(recipe: TimeBalanceRecipe): Teacher[] {
  const all = studentsOf(recipe).flatMap(({ recipe: { student } }) => teachersOf(student));
  return (['invariant-2', 'distinctive-2'] as const).filter((teacher) => all.includes(teacher));
}
