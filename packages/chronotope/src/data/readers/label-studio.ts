import { z } from 'zod';
import { isVideo } from '../folders.js';
import { type AnnotatedVideo, annotatedEntries } from './clip-labels.js';
import { type DatasetReader, MissingFiles, makeDataset, type ReadOptions } from './dataset.js';
import { fileStart, malformed, readJsonFile } from './lines.js';

/** Results that label videos or parts of them; boxes, ratings, texts and relations are passed over. */
const LABEL_TYPES: ReadonlySet<string> = new Set(['choices', 'timelinelabels', 'labels']);

const resultSchema = z.object({
  type: z.string(),
  from_name: z.string().optional(),
  value: z.object({
    choices: z.array(z.string()).optional(),
    timelinelabels: z.array(z.string()).optional(),
    ranges: z.array(z.object({ start: z.number(), end: z.number() })).optional(),
    labels: z.array(z.string()).optional(),
    start: z.number().optional(),
    end: z.number().optional(),
  }),
});

const taskSchema = z.object({
  id: z.union([z.number(), z.string()]).optional(),
  data: z.record(z.string(), z.unknown()),
  annotations: z.array(
    z.object({
      result: z.array(z.looseObject({ type: z.string().optional() })),
      was_cancelled: z.boolean().optional(),
      ground_truth: z.boolean().optional(),
    }),
  ),
});

type Result = z.infer<typeof resultSchema>;

/**
 * Label Studio's export "JSON" of a project that classifies videos (`Choices`: one label a video) or marks parts of
 * them (`TimelineLabels`: frames; `Labels` with start and end: seconds).
 *
 * Of several annotations the one marked as ground truth counts; without one all must agree on the label, else the video
 * stays unlabelled and is counted in the notes. With several `Choices` in the project, name the one to use as the
 * column `label`.
 */
export const labelStudio: DatasetReader = {
  format: 'label-studio',
  general: false,
  recognise(source) {
    const start = source.path.endsWith('.json') ? fileStart(source.path) : '';
    const isTasks = /^\s*\[\s*\{/.test(start) && /"annotations"\s*:/.test(start);
    return isTasks ? 'a JSON list of tasks with annotations' : null;
  },
  read(source, options) {
    const tasks = readJsonFile(source.path);
    if (!Array.isArray(tasks)) {
      throw malformed(source.path, null, 'expected a list of tasks, as the export format "JSON" has it');
    }
    const counts = { unlabelled: 0, disagreeing: 0 };
    const annotated = tasks.map((task, index) => readTask(task, source.path, index, options, counts));
    const missing = new MissingFiles();
    const entries = annotatedEntries(source, options, annotated, missing);
    const notes = [
      ...(counts.unlabelled > 0 ? [`${counts.unlabelled} videos have no label yet`] : []),
      ...(counts.disagreeing > 0
        ? [`${counts.disagreeing} videos are labelled differently by different people: unlabelled`]
        : []),
    ];
    return makeDataset('label-studio', source, { entries, missing, notes });
  },
};

function readTask(
  value: unknown,
  file: string,
  index: number,
  options: ReadOptions,
  counts: { unlabelled: number; disagreeing: number },
): AnnotatedVideo {
  const parsed = taskSchema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw malformed(file, null, `task ${index + 1}: "${path.join('.')}": ${message}`);
  }
  const { id = index + 1, data, annotations } = parsed.data;
  const invalid = (problem: string): Error => malformed(file, null, `task ${id}: ${problem}`);
  const name = Object.values(data).find(
    (field) => typeof field === 'string' && isVideo(field.replace(/[?#](?!d=).*$/, '')),
  );
  if (typeof name !== 'string') {
    throw invalid(`expected the name of a video in "data", got ${JSON.stringify(data)}`);
  }
  const done = annotations.filter(({ was_cancelled }) => was_cancelled !== true);
  const truth = done.filter(({ ground_truth }) => ground_truth === true);
  const readings = (truth.length > 0 ? truth.slice(-1) : done).map(({ result }) =>
    readAnnotation(
      result.filter(({ type }) => LABEL_TYPES.has(type ?? '')),
      options,
      invalid,
    ),
  );
  const [first = { label: null, clips: [] }] = readings;
  if (readings.some((reading) => JSON.stringify(reading) !== JSON.stringify(first))) {
    counts.disagreeing++;
    return { name, label: null, clips: [] };
  }
  if (first.label === null && first.clips.length === 0) counts.unlabelled++;
  return { name, ...first };
}

function readAnnotation(values: readonly unknown[], { columns }: ReadOptions, invalid: (problem: string) => Error) {
  const results = values.map((value) => {
    const parsed = resultSchema.safeParse(value);
    if (!parsed.success) {
      const { path, message } = parsed.error.issues[0]!;
      throw invalid(`result "${path.join('.')}": ${message}`);
    }
    return parsed.data;
  });
  return {
    label: choiceOf(results, columns?.label, invalid),
    clips: results.flatMap((result) => clipsOf(result, invalid)),
  };
}

function choiceOf(
  results: readonly Result[],
  control: string | undefined,
  invalid: (problem: string) => Error,
): string | null {
  const choices = results.filter(
    ({ type, from_name }) => type === 'choices' && (control === undefined || from_name === control),
  );
  if (choices.length > 1) {
    const names = choices.map(({ from_name }) => `"${from_name}"`).join(', ');
    throw invalid(`expected one choice, got ${names}: name the one that is the class, as the column "label"`);
  }
  const chosen = choices[0]?.value.choices ?? [];
  if (chosen.length > 1) {
    throw invalid(`expected one class, got ${chosen.map((choice) => `"${choice}"`).join(', ')}`);
  }
  return chosen[0] ?? null;
}

/** Ranges on the timeline are frames, counted from 1, the last one included. */
function clipsOf({ type, value }: Result, invalid: (problem: string) => Error): AnnotatedVideo['clips'] {
  if (type === 'timelinelabels') {
    return (value.ranges ?? []).map(({ start, end }) => {
      if (!Number.isInteger(start) || !Number.isInteger(end) || start < 1 || end < start) {
        throw invalid(`expected a range of frames from 1 on, got ${start} to ${end}`);
      }
      return { label: oneLabel(value.timelinelabels, invalid), range: { unit: 'frames', start: start - 1, end } };
    });
  }
  if (type === 'labels' && value.start !== undefined && value.end !== undefined) {
    if (!(value.start >= 0 && value.end > value.start)) {
      throw invalid(`expected a range of seconds, got ${value.start} to ${value.end}`);
    }
    return [{ label: oneLabel(value.labels, invalid), range: { unit: 'seconds', start: value.start, end: value.end } }];
  }
  return [];
}

function oneLabel(labels: readonly string[] | undefined, invalid: (problem: string) => Error): string {
  if (labels?.length !== 1) {
    throw invalid(`expected one label for a part of the video, got ${JSON.stringify(labels ?? [])}`);
  }
  return labels[0]!;
}
