/** About `count` round numbers (1, 2 or 5 times a power of ten) that span the range. */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough)! * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}

/** A tick as text: as many digits as the steps between ticks need. */
export function tickLabel(value: number, all: readonly number[]): string {
  const step = all.length > 1 ? all[1]! - all[0]! : Math.abs(value) || 1;
  const digits = value.toFixed(Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9))));
  return digits.replace('-', '−');
}
