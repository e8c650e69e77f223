import { z } from 'zod';
import { imageAugment } from './image-augment.js';
import { count, frames, imageNetwork, inputSize, positive, seed, share } from './parts.js';
import { trainingGroup } from './training.js';

/** Every setting of a CCL run. Unknown keys are errors. */
export const cclRecipe = z.strictObject({
  method: z.literal('ccl').describe('what is learnt'),
  seed,
  frames,
  views: z
    .strictObject({
      framesPerVideo: count.describe('frames that stand for a video'),
      spacingSeconds: positive.describe('time between them; less in short videos, none where the data are pictures'),
      candidates: z
        .union([count, z.literal('all')])
        .describe('frames of each video that the positive is drawn from; more cost a forward pass each'),
      positiveFrame: z
        .enum(['any', 'different'])
        .describe('any: the positive may be the frame of the query, augmented anew (official); different: never'),
    })
    .describe('which frames are compared'),
  inputSize,
  model: z
    .strictObject({
      ...imageNetwork,
      embedding: count.describe('width of the projection head output'),
      head: z.enum(['mlp', 'linear']).describe('two layers, or one'),
      heads: z.enum(['separate', 'shared']).describe('one head and queue for each loss, or one for both'),
    })
    .describe('the network'),
  objective: z
    .strictObject({
      kind: z
        .enum(['ccl', 'intra', 'cycle', 'moco', 'moco-cycle'])
        .describe('ccl: intra + cycle; moco: the positive is a crop of the same frame; moco-cycle: moco + cycle'),
      intraWeight: positive.describe('of the loss within a video'),
      cycleWeight: positive.describe('lambda, of the cycle loss'),
      temperature: positive.describe('of both losses; smaller sharpens them'),
      neighbourTemperature: positive.nullable().describe('of the soft neighbour; null takes that of the losses'),
      neighbour: z
        .enum(['soft', 'top-k', 'hard', 'as-positive'])
        .describe('soft is CCL; hard: nearest forward, soft backward; as-positive: no cycle, as NNCLR'),
      nearest: count.describe('top-k only: how many neighbours share the weight'),
      normaliseNeighbour: z.boolean().describe('scale the neighbour to unit length (official)'),
      includeSelf: z.boolean().describe('the query itself is one more candidate for its neighbour'),
      negatives: z
        .enum(['complement', 'dissimilar'])
        .describe('of the cycle: entries not drawn as candidates, or those least similar to the query'),
      gap: z
        .number()
        .int()
        .min(0)
        .describe('dissimilar only: entries between nearest and dissimilar that serve nothing'),
    })
    .describe('the loss'),
  queue: z
    .strictObject({
      intra: count.nullable().describe('keys for the loss within a video; null: as many as the data allow'),
      cycle: count.nullable().describe('keys for the cycle; null: intra + candidates'),
      candidates: z
        .union([count, z.literal('all')])
        .nullable()
        .describe('keys drawn anew in each step that neighbours are made of; null: a quarter of intra'),
      sameVideo: z
        .enum(['keep', 'mask', 'auto'])
        .describe('older keys of the query’s video: use (official) or leave out; auto: leave out where data are few'),
    })
    .describe('past keys; lengths are multiples of the batch'),
  pretrain: z
    .strictObject({
      epochs: count.describe('passes over all videos'),
      batch: count.describe('videos in a step, over all processes'),
      learningRate: positive.describe('at the start'),
      schedule: z.enum(['cosine', 'steps']).describe('how it falls, from epoch to epoch'),
      milestones: z.array(count).describe('steps only: epochs at which it is divided by 10'),
      momentum: share.describe('of SGD'),
      weightDecay: z.number().min(0).describe('factor of the weights that SGD adds to their gradients (L2)'),
      keyMomentum: share.describe('share of its weights that the momentum encoder keeps in a step'),
      shuffleBatchNorm: z.boolean().describe('several processes: deal images out anew for the momentum encoder'),
      augment: imageAugment,
    })
    .describe('the pre-training'),
  training: trainingGroup
    .omit({ schedule: true, ema: true, validation: true })
    .prefault({})
    .describe('how it is trained, whatever is learnt'),
  evaluation: z
    .strictObject({
      clips: count.describe('clips of a video whose features are averaged'),
      frames: count.describe('frames of a clip whose features are averaged; 1 makes them single frames'),
      stride: count.describe('frames from one frame of a clip to the next'),
    })
    .describe('how a video is seen in tests'),
});

/** Every setting of a CCL run; {@link cclRecipe} checks them. */
export type CclRecipe = z.infer<typeof cclRecipe>;
