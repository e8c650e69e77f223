import { cat, nn, noGrad, scope, type Tensor } from '@chronotope/torch';
import type { Clip } from '../models/clip/clip.js';
import { fillTemplates } from './templates.js';
import { ClipTokenizer } from './tokenizer.js';

/** Texts in a forward pass. */
const BATCH = 64;

/** A frozen text encoder: sentences in, vectors of length 1 out. */
export class TextEncoder {
  readonly #clip: Clip;
  readonly #tokenizer: ClipTokenizer;

  /**
   * @param tokenizer default: CLIP's own, with as many tokens as the text tower knows
   * @throws ChronotopeError `vocabulary-size` if the text tower knows more tokens than CLIP's vocabulary has
   */
  constructor(clip: Clip, tokenizer?: ClipTokenizer) {
    this.#clip = clip;
    this.#tokenizer = tokenizer ?? new ClipTokenizer({ vocabulary: clip.shape.text.vocabulary });
  }

  /** Texts to `[N, E]`, float32 on the CPU, each of length 1. Texts that are too long are cut. */
  encode(texts: readonly string[]): Tensor {
    const { context } = this.#clip.shape.text;
    return scope(() =>
      noGrad(() => {
        const { device } = this.#clip.text.positionalEmbedding;
        const rows = this.#tokenizer.rows(texts, { context, tooLong: 'truncate' }).to({ device });
        const encoded = rows.split(BATCH).map((batch) => nn.functional.normalize(this.#clip.text.call(batch)));
        return cat(encoded).to({ device: 'cpu' });
      }),
    );
  }

  /**
   * The zero-shot classifier of CLIP's authors: a class is the mean direction of the prompts about it.
   *
   * @param names class names in words
   * @returns `[N, E]`, each row of length 1
   */
  classVectors(names: readonly string[], templates: readonly string[]): Tensor {
    const prompts = names.flatMap((name) => fillTemplates(templates, name));
    return scope(() => {
      const encoded = this.encode(prompts);
      return nn.functional.normalize(encoded.view([names.length, templates.length, -1]).mean(1));
    });
  }
}
