import { keep, noGrad, type Tensor } from '@chronotope/torch';

/**
 * Running values, such as centres, that move once a step whatever the number of parts it is computed in
 * (`training.accumulate`): every part of a step sees the value from before it.
 */
export class StepMemory {
  readonly #proposed = new Map<Tensor, { sum: Tensor; parts: number }>();

  /** What one part of the step would make of a running value. */
  propose(running: Tensor, next: Tensor): void {
    noGrad(() => {
      const earlier = this.#proposed.get(running);
      if (earlier === undefined) {
        this.#proposed.set(running, { sum: keep(next.detach().clone()), parts: 1 });
      } else {
        earlier.sum.add_(next);
        earlier.parts += 1;
      }
    });
  }

  /** At the end of the step, moves every running value to the mean of what its parts proposed. */
  commit(): void {
    noGrad(() => {
      for (const [running, { sum, parts }] of this.#proposed) {
        running.copy_(parts === 1 ? sum : sum.div(parts));
        sum.dispose();
      }
    });
    this.#proposed.clear();
  }
}
