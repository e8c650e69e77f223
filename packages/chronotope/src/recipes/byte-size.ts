const UNITS: Record<string, number> = { '': 1, B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
const PATTERN = /^(\d+(?:\.\d+)?)\s*([kKMGT]?B|)$/;

/** Bytes of a size such as `20GB`, `1.5 TB` or `300000` (decimal units); null when the text is none. */
export function parseByteSize(text: string): number | null {
  const [, number, unit] = PATTERN.exec(text.trim()) ?? [];
  const bytes = Number(number) * UNITS[unit === 'KB' ? 'kB' : (unit ?? '')]!;
  return bytes > 0 ? bytes : null;
}
