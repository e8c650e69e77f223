import type { Tensor } from '../tensor.js';

const BYTES: Readonly<Record<string, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
};

/**
 * Deals parameters out to buckets, in reverse order, because the backward pass reaches the last ones first. A bucket
 * holds one dtype on one device and is closed when it has reached its size: `firstBytes` for the first, so that the
 * communication starts early, `bytes` for the others.
 */
export function assignBuckets<P extends Pick<Tensor, 'dtype' | 'device' | 'numel'>>(
  parameters: readonly P[],
  { firstBytes, bytes }: { firstBytes: number; bytes: number },
): P[][] {
  const buckets: P[][] = [];
  const open = new Map<string, { bucket: P[]; filled: number }>();
  for (const parameter of parameters.toReversed()) {
    const kind = `${parameter.dtype} ${parameter.device}`;
    let place = open.get(kind);
    if (place === undefined) {
      place = { bucket: [], filled: 0 };
      buckets.push(place.bucket);
      open.set(kind, place);
    }
    place.bucket.push(parameter);
    place.filled += parameter.numel * (BYTES[parameter.dtype] ?? 4);
    const limit = place.bucket === buckets[0] ? firstBytes : bytes;
    if (place.filled >= limit) open.delete(kind);
  }
  return buckets;
}
