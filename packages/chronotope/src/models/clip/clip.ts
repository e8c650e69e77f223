import { full, nn, scope, type Tensor } from '@chronotope/torch';
import { ClipImageTower } from './image-tower.js';
import type { ClipShape } from './shape.js';
import { ClipTextTower } from './text-tower.js';

/** ln(1 / 0.07): where the scale of the logits starts. */
const FIRST_LOGIT_SCALE = Math.log(1 / 0.07);

/**
 * CLIP (Radford et al., ICML 2021) with a Vision Transformer. Keys, shapes and order of its state dict are those of
 * OpenAI's code: the image tower under `visual.`, the text tower at the top.
 */
export class Clip extends nn.Module {
  readonly shape: ClipShape;
  readonly logitScale: nn.Parameter;
  readonly visual: ClipImageTower;
  /** Not a property that registers: its parameters and layers have no prefix, see `ownParameters`. */
  readonly #text: ClipTextTower;

  constructor(shape: ClipShape) {
    super();
    this.shape = shape;
    this.visual = new ClipImageTower(shape.image, shape);
    this.#text = new ClipTextTower(shape.text, shape);
    this.logitScale = scope(() => new nn.Parameter(full([], FIRST_LOGIT_SCALE)));
  }

  /** The text encoder by itself; its weights are those of this network. */
  get text(): ClipTextTower {
    return this.#text;
  }

  override ownParameters(): Map<string, nn.Parameter> {
    return new Map([...this.#text.ownParameters(), ...super.ownParameters()]);
  }

  override namedChildren(): Map<string, nn.Module> {
    return new Map([...super.namedChildren(), ...this.#text.namedChildren()]);
  }

  /**
   * Scaled cosines between images and texts.
   *
   * @param images float32 [N, 3, H, W], normalised
   * @param ids int64 [M, L]
   * @returns [N, M]; transpose for the logits of texts over images
   */
  override forward(images: Tensor, ids: Tensor): Tensor {
    const image = nn.functional.normalize(this.visual.call(images));
    const text = nn.functional.normalize(this.text.call(ids));
    return image.matmul(text.transpose(0, 1)).mul(this.logitScale.exp());
  }
}
