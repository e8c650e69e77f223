import { full, nn, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';
import { normalParameter } from './parameters.js';
import type { ClipActivation, TextTowerShape } from './shape.js';
import { ClipTransformer } from './transformer.js';

/** CLIP's text encoder (Radford et al., ICML 2021): a transformer in which tokens look back only. */
export class ClipTextTower extends nn.Module {
  /** Most tokens in a row. */
  readonly context: number;
  /** Tokens in the vocabulary. */
  readonly vocabulary: number;
  /** [context, D] */
  readonly positionalEmbedding: nn.Parameter;
  /** [D, E] */
  readonly textProjection: nn.Parameter;
  readonly transformer: ClipTransformer;
  readonly tokenEmbedding: nn.Embedding;
  readonly lnFinal: nn.LayerNorm;

  /**
   * @param options.embedding E
   * @param options.activation default `quick-gelu`
   */
  constructor(
    shape: TextTowerShape,
    { embedding, activation = 'quick-gelu' }: { embedding: number; activation?: ClipActivation },
  ) {
    super();
    const { context, vocabulary, width } = shape;
    this.context = context;
    this.vocabulary = vocabulary;
    this.positionalEmbedding = normalParameter([context, width], 0.01);
    this.textProjection = normalParameter([width, embedding], width ** -0.5);
    this.transformer = new ClipTransformer(shape, activation);
    this.tokenEmbedding = new nn.Embedding(vocabulary, width);
    nn.init.normal_(this.tokenEmbedding.weight, 0, 0.02);
    this.lnFinal = new nn.LayerNorm(width);
  }

  /**
   * Embeddings of texts, not normalised: each is read off at the row's highest token, which is the end token. Nothing
   * behind the last end token is computed, since tokens look back only.
   *
   * @param ids int64 [N, L], L at most `context`
   * @returns [N, E]
   * @throws ChronotopeError `vocabulary-mismatch` for tokens that the vocabulary has not, or rows longer than `context`
   */
  override forward(ids: Tensor): Tensor {
    this.#check(ids);
    const ends = ids.argmax(1);
    const length = 1 + ends.max().item();
    const positions = this.positionalEmbedding.narrow(0, 0, length);
    const tokens = this.tokenEmbedding.call(ids.narrow(1, 0, length)).add(positions);
    const read = this.lnFinal.call(this.transformer.call(tokens, causalMask(length, tokens)));
    const index = ends.view([-1, 1, 1]).expand([-1, 1, read.shape[2]!]);
    return read.gather(1, index).squeeze(1).matmul(this.textProjection);
  }

  #check(ids: Tensor): void {
    const { context, vocabulary } = this;
    const length = ids.shape[1]!;
    const highest = ids.max().item();
    if (length <= context && highest < vocabulary) return;
    throw new ChronotopeError(
      'vocabulary-mismatch',
      length > context
        ? `rows of ${length} tokens are longer than the ${context} that the text tower reads`
        : `token ${highest} is not among the ${vocabulary} that the text tower knows`,
      {
        hint: 'tokenise with the vocabulary and the length that these weights were trained with',
        details: { length, context, highest, vocabulary },
      },
    );
  }
}

/** [length, length]: minus infinity above the diagonal, else 0. */
function causalMask(length: number, { dtype, device }: Tensor): Tensor {
  return full([length, length], -Infinity, { dtype, device }).triu({ diagonal: 1 });
}
