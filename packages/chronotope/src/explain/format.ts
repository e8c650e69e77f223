/** `0.5` as `50.0 %`, not to be broken; a dash for what is not known. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(1)}\u00a0%` : '–';
}

/** A difference of two shares in percentage points, with its sign. */
export function points(difference: number): string {
  const value = (100 * difference).toFixed(1);
  if (Number(value) === 0) return '0.0';
  return difference > 0 ? `+${value}` : value.replace('-', '−');
}

/** `95` as `1 min 35 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A number of bytes in MiB, with its unit. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** `1 video`, `2 videos`. */
export function counted(count: number, noun: string): string {
  const plural = /[sx]$/.test(noun) ? `${noun}es` : `${noun}s`;
  return `${count} ${count === 1 ? noun : plural}`;
}
