import { dirname, relative, resolve, sep } from 'node:path';
import { scope } from '@chronotope/torch';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { argmax } from '../evaluation/video-level.js';
import { spokenName } from '../language/class-names.js';
import type { Concept } from '../language/concept-file.js';
import { writeFileAtomic } from '../training/json-files.js';
import { silentProgress } from '../training/progress.js';
import { readVideos } from './training-data.js';
import { embedEntries } from './video-vectors.js';
import { type LanguageOptions, predict, withModel } from './zero-shot.js';

/** Settings of {@link proposeLabels}. */
export interface ProposeLabelsOptions extends LanguageOptions {
  /** The classes, in words, and with descriptions if there are any. */
  concepts: readonly Concept[];
  /** Prompts with `{}` for the name of a class. */
  templates: readonly string[];
  /** Propose nothing for videos of which the most probable class is less probable. Default 0. */
  leastConfidence?: number;
  /** Propose labels only for this many videos of each class, the most confident ones. Default: all. */
  perClass?: number;
}

/** What a video seems to show. */
export interface Proposal {
  entry: ManifestEntry;
  /** Null where nothing is proposed. */
  label: string | null;
  /** Probability of the most probable class. */
  confidence: number;
}

/**
 * Proposes a label for every training video from the names of classes alone. Labels that the data have are not looked at,
 * only how they spell the classes.
 *
 * @param source a run with a text tower, or a file of CLIP weights
 * @throws ChronotopeError `one-class`, those of `openLanguageModel` and `readDataset`
 */
export async function proposeLabels(
  source: string,
  data: string,
  options: ProposeLabelsOptions,
): Promise<{ proposals: Proposal[]; test: ManifestEntry[]; excluded: { id: string; reason: string }[] }> {
  const { concepts, templates, leastConfidence = 0, perClass, stage, device, ...views } = options;
  if (concepts.length < 2) {
    throw new ChronotopeError('one-class', 'only one class to choose from', {
      hint: 'Name at least two classes: "jumping,running".',
    });
  }
  const { entries, classes } = await readVideos(data);
  const training = entries.filter(({ split }) => split === 'train');
  const test = entries.filter(({ split }) => split === 'test');
  return withModel(source, { stage, device }, async (model) => {
    const names = concepts.map(({ name }) => name);
    const labels = inTheSpellingOf(classes, names);
    const { ids, vectors, excluded } = await embedEntries(model, training, { progress: silentProgress, ...views });
    const predictions = scope(() => predict(model, { ids, vectors }, concepts, templates));
    vectors.dispose();
    const entryOf = new Map(training.map((entry) => [entry.id, entry]));
    const proposals = predictions.map(({ id, probabilities }): Proposal => {
      const best = argmax(probabilities);
      return { entry: entryOf.get(id)!, label: labels[best]!, confidence: probabilities[best]! };
    });
    return { proposals: withhold(proposals, leastConfidence, perClass), test, excluded };
  });
}

/** Names in words as the data spell them, so that `open door` and test videos of `open_door` are one class. */
function inTheSpellingOf(classes: readonly string[], names: readonly string[]): string[] {
  const spelling = new Map(classes.map((name) => [spokenName(name), name]));
  return names.map((name) => spelling.get(name) ?? name);
}

function withhold(proposals: readonly Proposal[], leastConfidence: number, perClass = Infinity): Proposal[] {
  const taken = new Map<string, number>();
  return proposals
    .toSorted((a, b) => b.confidence - a.confidence)
    .map((proposal) => {
      const before = taken.get(proposal.label!) ?? 0;
      if (proposal.confidence < leastConfidence || before >= perClass) return { ...proposal, label: null };
      taken.set(proposal.label!, before + 1);
      return proposal;
    });
}

/**
 * Writes proposals as a list `path,label,split,confidence` that `chronotope train timebalance` takes as `--data`, or as
 * `--labels` beside the data: training videos with the proposed label or none, most confident first, then the test videos with the labels they have.
 */
export function writeProposals(file: string, proposals: readonly Proposal[], test: readonly ManifestEntry[]): void {
  const folder = dirname(resolve(file));
  const pathOf = ({ path }: ManifestEntry): string => relative(folder, resolve(path)).split(sep).join('/');
  const rows = [
    ...proposals.map(({ entry, label, confidence }) => [pathOf(entry), label ?? '', 'train', confidence.toFixed(4)]),
    ...test.map((entry) => [pathOf(entry), entry.label ?? '', 'test', '']),
  ];
  const lines = [['path', 'label', 'split', 'confidence'], ...rows].map((row) => row.map(csvField).join(','));
  writeFileAtomic(file, `${lines.join('\n')}\n`);
}

function csvField(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
