/**
 * The losses of TimeBalance and TCLR once more, as loops over plain numbers written from the equations of the method note:
 * slow, and sharing nothing with what they check.
 */

/** A vector. */
export type Row = readonly number[];
/** Vectors, one below the other. */
export type Rows = readonly Row[];

/** Sum of products. */
export function dot(a: Row, b: Row): number {
  return a.reduce((sum, value, k) => sum + value * b[k]!, 0);
}

/** Sum of numbers. */
export function sumOf(values: Row): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Mean of numbers. */
export function meanOf(values: Row): number {
  return sumOf(values) / values.length;
}

/** exp(x / T), divided by the sum. */
export function softmaxOf(values: Row, temperature = 1): number[] {
  const powers = values.map((value) => Math.exp(value / temperature));
  const total = sumOf(powers);
  return powers.map((power) => power / total);
}

/** u · v / (|u| |v|). */
export function cosine(a: Row, b: Row): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** 0 … count − 1. */
export function indices(count: number): number[] {
  return Array.from({ length: count }, (_, k) => k);
}

/** NTX(a, b): every vector of both sets finds its partner among all others (method note 2.1). */
export function naiveNtXent(a: Rows, b: Rows, temperature: number): number {
  const u = [...b, ...a];
  const losses = u.map((anchor, k) => {
    const partner = u[(k + a.length) % u.length]!;
    const others = u.filter((_, m) => m !== k).map((other) => Math.exp(dot(anchor, other) / temperature));
    return -Math.log(Math.exp(dot(anchor, partner) / temperature) / sumOf(others));
  });
  return meanOf(losses);
}

/** Embeddings of local clips or slices: by view, video, and time. */
export type ByTime = readonly (readonly Rows[])[];

/**
 * L_inv, in its two parts: the views of the global clip, and the ordered pairs of local clips, 1 / K of their sum (method
 * note 2.2).
 *
 * @param globals by view and video
 * @param isPair which local clips attract each other
 */
export function naiveInstance(
  globals: readonly Rows[],
  locals: ByTime,
  temperature: number,
  isPair: (one: { view: number; time: number }, other: { view: number; time: number }) => boolean = () => true,
): { global: number; local: number } {
  const times = locals[0]![0]!.length;
  const clips = [0, 1].flatMap((view) => indices(times).map((time) => ({ view, time })));
  const ofAllVideos = ({ view, time }: (typeof clips)[number]) => locals[view]!.map((video) => video[time]!);
  const losses = clips.flatMap((one, i) =>
    clips
      .filter((other, j) => i !== j && isPair(one, other))
      .map((other) => naiveNtXent(ofAllVideos(one), ofAllVideos(other), temperature)),
  );
  return { global: naiveNtXent(globals[0]!, globals[1]!, temperature), local: sumOf(losses) / times };
}

/** L_LL: for each video its clips in one view against those in the other, summed (method note 2.3). */
export function naiveLocalLocal(locals: ByTime, temperature: number): number {
  return sumOf(locals[0]!.map((video, b) => naiveNtXent(video, locals[1]![b]!, temperature)));
}

/** GL(l, d): slice i finds local clip i of its video, and the other way round; Σ over times, mean over videos (2.4). */
export function naiveGlobalLocal(slices: readonly Rows[], locals: readonly Rows[], temperature: number): number {
  const perVideo = slices.map((video, b) => {
    const others = locals[b]!;
    const found = (anchor: Row, i: number, among: Rows) =>
      -Math.log(
        softmaxOf(
          among.map((one) => dot(anchor, one)),
          temperature,
        )[i]!,
      );
    return sumOf(video.map((slice, i) => found(slice, i, others) + found(others[i]!, i, video)));
  });
  return sumOf(perVideo) / (2 * slices.length);
}

/** L_GL: GL of all four combinations of views. */
export function naiveGlobalLocalOverViews(slices: ByTime, locals: ByTime, temperature: number): number {
  return sumOf(slices.flatMap((l) => locals.map((d) => naiveGlobalLocal(l, d, temperature))));
}

/**
 * s of one video: the n × n cosines of each teacher, their average, the mean of its off-diagonal entries (method note 3).
 *
 * @param teachers features of the n clips, for each teacher
 */
export function naiveScore(teachers: readonly Rows[]): number {
  const clips = teachers[0]!.length;
  const average = indices(clips).map((i) =>
    indices(clips).map((j) => meanOf(teachers.map((features) => cosine(features[i]!, features[j]!)))),
  );
  return meanOf(average.flatMap((row, i) => row.filter((_, j) => j !== i)));
}

/** dist(softmax z, q) for a batch (method note 2.7). */
export function naiveDistillation(logits: Rows, teacher: Rows, kind: 'l2' | 'kld' | 'l2-per-video'): number {
  const entries = logits.flatMap((row, b) =>
    softmaxOf(row).map((p, c) => {
      const q = teacher[b]![c]!;
      return kind === 'kld' ? q * (Math.log(q) - Math.log(p)) : (p - q) ** 2;
    }),
  );
  return kind === 'l2-per-video' ? sumOf(entries) / logits.length : meanOf(entries);
}
