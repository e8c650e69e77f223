import { arange, crossEntropyLoss, type Tensor } from '@chronotope/torch';

/**
 * CLIP's loss of B images and their B texts (Radford et al., ICML 2021, section 2.3): symmetric InfoNCE,
 *
 *   L = 1/2 [ CE(s·I Tᵀ, (1 … B)) + CE(s·T Iᵀ, (1 … B)) ]
 *
 * the cross-entropy of finding each image's text among all texts of the batch, and each text's image.
 *
 * @param images `[B, E]`, of length 1; row k belongs to row k of the texts
 * @param texts `[B, E]`, of length 1
 * @param scale s, a scalar: the reciprocal of the temperature
 * @returns the loss, and the scaled cosines `[B, B]`, a row for each image
 */
export function clipLoss(images: Tensor, texts: Tensor, scale: Tensor): { loss: Tensor; logits: Tensor } {
  const logits = images.matmul(texts.transpose(0, 1)).mul(scale);
  const own = arange(images.shape[0]!, undefined, { dtype: 'int64', device: images.device });
  const loss = crossEntropyLoss(logits, own)
    .add(crossEntropyLoss(logits.transpose(0, 1), own))
    .div(2);
  return { loss, logits };
}
