import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { ChronotopeError } from '../errors.js';
import { FIDELITIES } from './fidelity.js';
import { count } from './parts.js';

const name = z.string().regex(/^[\w.-]+$/, 'expected letters, digits, ".", "-" and "_" alone: it names a folder');
const overrides = z.array(z.string()).describe('key=value lines, as of --set');
const stages = z.array(z.string()).min(1).describe('the classifiers to compare; all if not given');

const labels = z.union([
  count.describe('labels of each class, drawn from the seed'),
  z.literal('all').describe('every label that the data has'),
  z
    .strictObject({
      name: name.describe('what this choice of labels is called'),
      file: z.string().optional().describe('a CSV file of path,label lines'),
      split: z.string().optional().describe('a split file, instead of the split of the whole set'),
    })
    .refine(({ file, split }) => (file === undefined) !== (split === undefined), 'expected either file or split'),
]);

/** A set of runs that are to be compared: every run with every choice of labels and every seed. */
export const comparisonSet = z.strictObject({
  data: z.string().describe('class folders, or a manifest or list'),
  split: z.string().optional().describe('a split file: parts and labels'),
  out: z.string().describe('where the run folders go, and the decoded frames, which they share'),
  recipe: z.string().default('timebalance-small').describe('a shipped recipe or a YAML file'),
  fidelity: z.enum(FIDELITIES).optional().describe('follow the paper or the published code where they differ'),
  set: overrides.default([]),
  stages: stages.optional(),
  seeds: z.array(z.number().int().min(0)).min(1).default([1]).describe('a run of its own for each'),
  labels: z.array(labels).min(1).default(['all']).describe('how many labels, or which'),
  labelDraws: count.default(1).describe('label draws in a run, for labels given as a number'),
  runs: z
    .array(
      z.strictObject({
        name: name.describe('of the run, in the table'),
        recipe: z.string().optional().describe('instead of that of the set'),
        fidelity: z.enum(FIDELITIES).optional().describe('instead of that of the set'),
        set: overrides.default([]).describe('applied after those of the set'),
        stages: stages.optional(),
      }),
    )
    .min(1)
    .refine((runs) => new Set(runs.map((run) => run.name)).size === runs.length, 'two runs have the same name')
    .describe('what is compared'),
});

/** See {@link comparisonSet}. */
export type ComparisonSet = z.infer<typeof comparisonSet>;

/** Which labels a run may use. */
export type LabelBudget = ComparisonSet['labels'][number];

/**
 * Reads a set of runs. Paths in it are relative to the file.
 *
 * @throws ChronotopeError `comparison-invalid`, naming the line or the key
 */
export function loadComparison(file: string): ComparisonSet {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalid(file, `cannot be read: ${(cause as Error).message}`, cause);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const [problem] = document.errors;
  if (problem) throw invalid(file, `line ${lines.linePos(problem.pos[0]).line}: ${problem.message}`, problem);
  const parsed = comparisonSet.safeParse(document.toJS());
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `\n  ${issue.path.join('.') || '(top)'}: ${issue.message}`);
    throw invalid(file, problems.join(''), parsed.error);
  }
  return withPaths(parsed.data, path.dirname(file));
}

function withPaths(set: ComparisonSet, folder: string): ComparisonSet {
  const resolved = (file: string): string => path.resolve(folder, file);
  // A recipe is a name unless it looks like a file.
  const recipe = (nameOrFile: string): string => (/\.ya?ml$/.test(nameOrFile) ? resolved(nameOrFile) : nameOrFile);
  return {
    ...set,
    data: resolved(set.data),
    out: resolved(set.out),
    recipe: recipe(set.recipe),
    ...(set.split === undefined ? {} : { split: resolved(set.split) }),
    labels: set.labels.map((budget) => {
      if (typeof budget !== 'object') return budget;
      const { name, file, split } = budget;
      return { name, file: file && resolved(file), split: split && resolved(split) };
    }),
    runs: set.runs.map((run) => (run.recipe === undefined ? run : { ...run, recipe: recipe(run.recipe) })),
  };
}

function invalid(file: string, problem: string, cause: unknown): ChronotopeError {
  return new ChronotopeError('comparison-invalid', `${file} is not a valid set of runs: ${problem.trimStart()}`, {
    hint: 'docs/compare.md explains the file, with an example.',
    cause,
  });
}
