import { noGrad } from '../autograd.js';
import { TorchError } from '../errors.js';
import { embedding } from '../generated/operators.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { normal_ } from './init.js';
import { Module } from './module.js';
import { emptyParameter, type Parameter } from './parameter.js';

/** A table of vectors: indices `[...]` (int64) to `[..., embeddingDim]`. Key `weight` [numEmbeddings, embeddingDim]. */
export class Embedding extends Module {
  readonly weight: Parameter;
  readonly paddingIdx: number | null;

  /** @param options.paddingIdx a row that starts as zeros and gets no gradient (default null: none) */
  constructor(numEmbeddings: number, embeddingDim: number, { paddingIdx = null }: { paddingIdx?: number | null } = {}) {
    super();
    if (paddingIdx !== null && !(paddingIdx >= 0 && paddingIdx < numEmbeddings)) {
      throw new TorchError(`Embedding: paddingIdx ${paddingIdx} is no row of a table of ${numEmbeddings}`, {
        code: 'argument',
      });
    }
    this.paddingIdx = paddingIdx;
    this.weight = emptyParameter([numEmbeddings, embeddingDim]);
    normal_(this.weight);
    if (paddingIdx !== null) {
      scope(() => noGrad(() => this.weight.select(0, paddingIdx).zero_()));
    }
  }

  override forward(indices: Tensor): Tensor {
    return embedding(this.weight, indices, { paddingIdx: this.paddingIdx ?? -1 });
  }

  override extraRepr(): string {
    const [rows, width] = this.weight.shape;
    return `${rows}, ${width}${this.paddingIdx === null ? '' : `, padding_idx=${this.paddingIdx}`}`;
  }
}
