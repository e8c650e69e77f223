import { nn, randn, scope } from '@chronotope/torch';

/** A parameter drawn from the normal distribution around 0. */
export function normalParameter(shape: readonly number[], std: number): nn.Parameter {
  return scope(() => new nn.Parameter(randn([...shape]).mul(std)));
}
