/** One thing the toolkit needs from the machine, and how it stands. */
export interface Finding {
  /** The heading it stands under. */
  area: Area;
  /** What was looked at, e.g. `libtorch`. */
  name: string;
  /** `missing` stops the toolkit from working; `warning` makes it slow or leaves little room. */
  status: 'ok' | 'warning' | 'missing';
  /** What was found: versions, paths, sizes, speeds. */
  detail: string;
  /** The command or the act that mends it; only with `warning` and `missing`. */
  fix?: string;
  /** What was measured, for programs: the unit is part of the name. */
  measured?: Record<string, number>;
}

/** The headings of a diagnosis, in order. */
export const AREAS = ['Machine', 'libtorch', 'Video', 'Speed'] as const;
export type Area = (typeof AREAS)[number];

/** A finding before it has a place under a heading. */
export type Judgement = Omit<Finding, 'area'>;

/** Puts findings under a heading. */
export function under(area: Area, judgements: readonly Judgement[]): Finding[] {
  return judgements.map((judgement) => ({ area, ...judgement }));
}

/** The message of whatever was thrown, and its hint if it carries one. */
export function reasonAndHint(error: unknown): { reason: string; hint: string | undefined } {
  if (!(error instanceof Error)) return { reason: String(error), hint: undefined };
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined;
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  return { reason, hint };
}
