/** A function's value and gradient at a point. */
export interface Evaluated {
  value: number;
  gradient: Float64Array;
}

/** Where {@link minimise} ended. */
export interface Minimum {
  point: Float64Array;
  value: number;
  iterations: number;
  /** Whether the gradient fell below the tolerance. */
  converged: boolean;
}

/**
 * Minimises a smooth convex function with L-BFGS (Nocedal and Wright, "Numerical optimization", 2006, algorithm 7.5) and
 * a backtracking line search (Armijo). It ends when every entry of the gradient is below the tolerance, or when the
 * arithmetic allows no further progress.
 */
export function minimise(
  evaluate: (point: Float64Array) => Evaluated,
  start: Float64Array,
  { tolerance = 1e-6, maxIterations = 1000, memory = 10 } = {},
): Minimum {
  let point = start;
  let { value, gradient } = evaluate(point);
  const pairs: Pair[] = [];
  let iterations = 0;
  for (; iterations < maxIterations && largest(gradient) >= tolerance; iterations++) {
    const direction = descentDirection(gradient, pairs);
    const next = search(evaluate, { point, value, gradient, direction });
    if (next === null) break;
    const step = next.point.map((x, k) => x - point[k]!);
    const change = next.gradient.map((g, k) => g - gradient[k]!);
    const curvature = dot(step, change);
    if (curvature > 0) pairs.push({ step, change, curvature });
    if (pairs.length > memory) pairs.shift();
    ({ point, value, gradient } = next);
  }
  return { point, value, iterations, converged: largest(gradient) < tolerance };
}

/** How far a step went and how it changed the gradient; `curvature` is their product. */
interface Pair {
  step: Float64Array;
  change: Float64Array;
  curvature: number;
}

/** Minus the inverse Hessian, as the pairs know it, times the gradient (two-loop recursion). */
function descentDirection(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((g) => -g);
  const weights: number[] = [];
  for (const { step, change, curvature } of pairs.toReversed()) {
    const weight = dot(step, direction) / curvature;
    weights.push(weight);
    addScaled(direction, change, -weight);
  }
  const last = pairs.at(-1);
  // Without history a step of length one at most, because nothing is known of the scale.
  const scale = last
    ? last.curvature / dot(last.change, last.change)
    : 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)));
  for (let k = 0; k < direction.length; k++) direction[k]! *= scale;
  for (const { step, change, curvature } of pairs) {
    addScaled(direction, step, weights.pop()! - dot(change, direction) / curvature);
  }
  return direction;
}

/** The first of the steps 1, 1/2, 1/4 … that lowers the value enough; null if none does. */
function search(
  evaluate: (point: Float64Array) => Evaluated,
  from: Evaluated & { point: Float64Array; direction: Float64Array },
): (Evaluated & { point: Float64Array }) | null {
  const slope = dot(from.gradient, from.direction);
  for (let length = 1; length > 1e-12; length /= 2) {
    const point = from.point.map((x, k) => x + length * from.direction[k]!);
    const found = evaluate(point);
    if (found.value <= from.value + 1e-4 * length * slope) return { point, ...found };
  }
  return null;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

function addScaled(target: Float64Array, values: Float64Array, factor: number): void {
  for (let k = 0; k < target.length; k++) target[k]! += factor * values[k]!;
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
