/** Another video and how similar its features are. */
export interface Neighbour {
  index: number;
  /** Cosine of the angle between the features, 1 for the same direction. */
  similarity: number;
}

/** The `count` other vectors most similar to the one at `query`, best first. */
export function nearestNeighbours(features: readonly Float32Array[], query: number, count: number): Neighbour[] {
  const wanted = features[query]!;
  return features
    .map((vector, index) => ({ index, similarity: cosine(wanted, vector) }))
    .filter(({ index }) => index !== query)
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, count);
}

function cosine(a: Float32Array, b: Float32Array): number {
  const lengths = Math.sqrt(dot(a, a) * dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
