/** What a recipe follows where the paper of TimeBalance and its published code say different things. */
export const FIDELITIES = ['paper', 'official-code'] as const;
export type Fidelity = (typeof FIDELITIES)[number];

/** A setting as the paper and as the code has it. */
export interface FidelityChoice {
  /** Dotted, such as `student.labelledWeight`. */
  key: string;
  values: Record<Fidelity, string>;
  /** What the two say. */
  why: string;
}

const PRETEXTS = ['invariant', 'distinctive', 'student'] as const;

/** The settings in which the two differ, and those that these depend on (method note 9; docs/timebalance.md). */
export const FIDELITY_CHOICES: readonly FidelityChoice[] = [
  ...PRETEXTS.map((pretext) => ({
    key: `pretrain.${pretext}.positives`,
    values: { paper: 'different-time', 'official-code': 'all' },
    why: 'Eq. 1 pairs clips of different times; the code pairs all eight local clips, and the two views of the global one',
  })),
  ...PRETEXTS.map((pretext) => ({
    key: `pretrain.${pretext}.localLocalReduction`,
    values: { paper: 'mean', 'official-code': 'sum' },
    why: 'Eq. 3 is a loss of one video; the code adds the videos of a batch up, so that it grows with the batch',
  })),
  {
    key: 'student.labelledWeight',
    values: { paper: '100', 'official-code': '50' },
    why: 'the paper distils into labelled and unlabelled videos with one weight, whose value is not known; the code has 50 and 100',
  },
  {
    key: 'student.unlabelledWeight',
    values: { paper: '100', 'official-code': '100' },
    why: 'as above',
  },
  {
    key: 'student.distillation',
    values: { paper: 'l2', 'official-code': 'l2' },
    why: 'the weights are those of a mean over the classes',
  },
  {
    key: 'similarity.map',
    values: { paper: 'identity', 'official-code': 'identity' },
    why: 'both use the score itself as weight',
  },
  {
    key: 'training.schedule.name',
    values: { paper: 'cosine', 'official-code': 'official-timebalance' },
    why: 'what could be read of the paper says nothing, and ours is a cosine; the code goes by losses, epoch by epoch, after a warm-up that in pre-training never ends by itself',
  },
];

/** The overrides, as of `--set`, that make a recipe follow one of the two. They come before the user's own. */
export function fidelityOverrides(fidelity: Fidelity): string[] {
  return FIDELITY_CHOICES.map(({ key, values }) => `${key}=${values[fidelity]}`);
}
