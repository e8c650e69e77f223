import { basename, join } from 'node:path';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';
import { readTextFile } from '../manifest.js';
import { type AnnotatedVideo, annotatedEntries } from './clip-labels.js';
import { type DatasetReader, MissingFiles, makeDataset, nothingFound, type Source } from './dataset.js';
import { fileStart, malformed } from './lines.js';

const frame = z.coerce.number().int().min(0);
const shape = z.object({ frame, outside: z.enum(['0', '1']) });
const shapes = z.array(shape).default([]);

const trackSchema = z.object({
  id: z.string().default('?'),
  label: z.string(),
  task_id: z.string().optional(),
  box: shapes,
  polygon: shapes,
  polyline: shapes,
  points: shapes,
  cuboid: shapes,
  mask: shapes,
  skeleton: shapes,
});

const imageSchema = z.object({
  id: frame,
  task_id: z.string().optional(),
  tag: z.array(z.object({ label: z.string() })).default([]),
});

const taskSchema = z.object({
  id: z.coerce.string().default(''),
  name: z.coerce.string().default(''),
  source: z.coerce.string().optional(),
  frame_filter: z.coerce.string().optional(),
});

type Task = z.infer<typeof taskSchema>;

/** Elements that may occur several times, so that one of them is a list as well. */
const LISTS = new Set(['track', 'image', 'tag', 'box', 'polygon', 'polyline', 'points', 'cuboid', 'mask', 'skeleton']);

/**
 * CVAT's XML, one file or a folder of them:
 *
 * - "CVAT for video 1.1": every track is one clip (or more, where the object leaves the picture in between), from the
 *   first frame in which it is visible up to the frame in which it is marked as outside; its label is the class.
 * - "CVAT for images 1.1" of a video task: tags. Consecutive frames with the same tag are one clip; a single tag in the
 *   whole task is the label of the whole video.
 *
 * Frames are those of the video file, from 0, as CVAT writes them.
 */
export const cvat: DatasetReader = {
  format: 'cvat',
  general: false,
  recognise(source) {
    const [file] = filesOf(source);
    return file === undefined ? null : `the element <annotations> in ${basename(file)}`;
  },
  read(source, options) {
    const files = filesOf(source);
    if (files.length === 0) {
      throw nothingFound('cvat', source, 'an XML file with <annotations>, as CVAT exports it');
    }
    const missing = new MissingFiles();
    const entries = annotatedEntries(source, options, files.flatMap(readExport), missing);
    const unlabelled = entries.filter(({ label }) => label === null).length;
    const notes = unlabelled === 0 ? [] : [`${unlabelled} videos have no track and no tag: unlabelled`];
    return makeDataset('cvat', source, { entries, missing, notes });
  },
};

function filesOf(source: Source): string[] {
  const candidates = source.kind === 'file' ? [source.path] : source.files.map((name) => join(source.path, name));
  return candidates.filter((file) => file.endsWith('.xml') && /<annotations[\s>]/.test(fileStart(file)));
}

function readExport(file: string): AnnotatedVideo[] {
  const text = readTextFile(file, 'list-unreadable');
  const valid = XMLValidator.validate(text);
  if (valid !== true) {
    throw malformed(file, valid.err.line, `not XML (${valid.err.msg})`);
  }
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    isArray: (name) => LISTS.has(name),
  });
  const { annotations = {} } = parser.parse(text) as { annotations?: Record<string, unknown> };
  const tracks = parseAll(trackSchema, annotations.track, file, 'track');
  const images = parseAll(imageSchema, annotations.image, file, 'image');
  const tasks = tasksOf(annotations.meta, file);
  return tasks.map((task) => {
    const ofTask = <T extends { task_id?: string }>(items: readonly T[]): T[] =>
      tasks.length === 1 ? [...items] : items.filter(({ task_id }) => task_id === task.id);
    const step = Number(/step\s*=\s*(\d+)/.exec(task.frame_filter ?? '')?.[1] ?? 1);
    const name = task.source || task.name;
    if (name === '') {
      throw malformed(file, null, 'expected the name of the video in <source> or <name> of the task');
    }
    const clips = ofTask(tracks).flatMap((track) => clipsOfTrack(track, step, file));
    return clips.length > 0 ? { name, label: null, clips } : { name, ...tagsOf(ofTask(images), step) };
  });
}

/** One task; of a project all its tasks; of a single job what is known of its task. */
function tasksOf(meta: unknown, file: string): Task[] {
  const { task, project, job } = (meta ?? {}) as {
    task?: unknown;
    project?: { tasks?: { task?: unknown } };
    job?: unknown;
  };
  const found = task ?? project?.tasks?.task ?? job;
  return parseAll(taskSchema, found === undefined ? undefined : [found].flat(), file, 'task');
}

function parseAll<T>(schema: z.ZodType<T>, values: unknown, file: string, what: string): T[] {
  return ((values ?? []) as unknown[]).map((value, index) => {
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      const { path, message } = parsed.error.issues[0]!;
      throw malformed(file, null, `<${what}> number ${index + 1}, "${path.join('.')}": ${message}`);
    }
    return parsed.data;
  });
}

function clipsOfTrack(track: z.infer<typeof trackSchema>, step: number, file: string): AnnotatedVideo['clips'] {
  const { label, id, box, polygon, polyline, points, cuboid, mask, skeleton } = track;
  const shapes = [...box, ...polygon, ...polyline, ...points, ...cuboid, ...mask, ...skeleton];
  if (shapes.length === 0) {
    throw malformed(file, null, `track ${id}: expected at least one shape`);
  }
  shapes.sort((a, b) => a.frame - b.frame);
  const clips: AnnotatedVideo['clips'] = [];
  let start: number | null = null;
  for (const { frame: number, outside } of shapes) {
    if (outside === '0') {
      start ??= number;
    } else if (start !== null) {
      clips.push({ label, range: { unit: 'frames', start, end: number } });
      start = null;
    }
  }
  if (start !== null) {
    clips.push({ label, range: { unit: 'frames', start, end: shapes.at(-1)!.frame + step } });
  }
  return clips;
}

function tagsOf(images: readonly z.infer<typeof imageSchema>[], step: number): Omit<AnnotatedVideo, 'name'> {
  const tags = images.flatMap(({ id, tag }) => tag.map(({ label }) => ({ label, number: id })));
  if (tags.length <= 1) {
    return { label: tags[0]?.label ?? null, clips: [] };
  }
  tags.sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : a.number - b.number));
  const clips: { label: string; range: { unit: 'frames'; start: number; end: number } }[] = [];
  for (const { label, number } of tags) {
    const last = clips.at(-1);
    if (last?.label === label && last.range.end === number) {
      last.range.end = number + step;
    } else {
      clips.push({ label, range: { unit: 'frames', start: number, end: number + step } });
    }
  }
  return { label: null, clips };
}
