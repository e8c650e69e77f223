import { z } from 'zod';
import { count, frames, inputSize, positive, range, seed, share } from './parts.js';
import { trainingSettings } from './training.js';

const weight = z.number().min(0);

const clips = z
  .strictObject({
    frames: count.min(2).describe('frames of a view'),
    segmentFrames: count.describe('frames of the part of the video that the views are taken from'),
    mode: z
      .enum(['standard', 'varying-frame-rate'])
      .describe('views of equal length, or of 2 to 16 frames (localViews is 8 then)'),
    localViews: z.number().int().min(0).describe('views of an eighth of the segment, besides the 2 of all of it'),
    localSize: z.number().int().min(8).describe('height and width of local views in pixels'),
    sameFrames: z.boolean().describe('all views show the same frames: no augmentation in time, for comparison'),
    fps: positive.nullable().default(null).describe('choose frames by time, from this many a second; null: as stored'),
    virtualFrames: count.nullable().default(null).describe('stretch every video to this many frames; null: its own'),
    shortVideo: z
      .enum(['official', 'stretch', 'repeat-last', 'loop', 'mirror', 'reject', 'error'])
      .describe('what to do with videos shorter than the segment; official takes all of them as the segment'),
  })
  .describe('which frames a view shows');

const augment = z
  .strictObject({
    preset: z
      .enum(['lss', 'svt', 'none'])
      .describe('svt: as published; lss: the same with values kept in [0, 1] and correct gray; none: centre crops'),
    globalArea: range.describe('of the random crop of a global view, as a fraction of the frame'),
    localArea: range.describe('the same of a local view'),
    flip: share.describe('probability of a mirror image; keep 0 where left and right matter'),
    normalise: z.enum(['clip', 'imagenet', 'none']).describe('whose mean and deviation the pixels are normalised by'),
  })
  .describe('random augmentation, drawn once for a view');

const model = z
  .strictObject({
    backbone: z
      .enum(['clip-video', 'space-time-vit'])
      .describe("clip-video: CLIP's image tower with attention over time; space-time-vit: that of SVT"),
    patch: count.describe('height and width of a patch in pixels'),
    width: count.describe('numbers of a token; 768 in ViT-B'),
    depth: count.describe('blocks; 12 in ViT-B'),
    heads: count.describe('attention heads; width must be a multiple of it'),
    embedding: count.describe('clip-video: size of the space that videos and texts share; 512 in ViT-B/16'),
    activation: z
      .enum(['quick-gelu', 'gelu'])
      .default('quick-gelu')
      .describe('clip-video: quick-gelu for OpenAI weights'),
    attention: z
      .enum(['divided', 'frozen', 'joint', 'space-only'])
      .describe('over time and space in turn (SVT), as in Frozen in Time, over both at once, or within frames only'),
    temporalStart: z
      .enum(['zero', 'random'])
      .describe('zero: attention over time adds nothing at first, the network begins as an image model'),
    positions: z
      .enum(['bicubic', 'nearest'])
      .describe('how position embeddings become those of local views; nearest is what SVT does'),
    dropPath: share.describe('space-time-vit: how often training leaves out a branch of the last block'),
    pretrained: z
      .string()
      .nullable()
      .default(null)
      .describe('a file to start from: a CLIP, or an image or video ViT with timm keys; null starts at random'),
  })
  .describe('the network');

const head = z
  .strictObject({
    kind: z
      .enum(['text', 'dino', 'none'])
      .describe('text: cosines to concepts (LSS); dino: learnt outputs (SVT); none: features are compared by cosine'),
    outputs: count.describe('dino: number of outputs'),
    layers: count.describe('dino: layers before the last'),
    hidden: count.describe('dino: their width'),
    bottleneck: count.describe('dino: size of the unit vector before the last layer'),
  })
  .describe('what views are compared by');

const concepts = z
  .strictObject({
    file: z.string().nullable().describe('concept vectors, written by chronotope concepts build'),
    list: z
      .string()
      .nullable()
      .default(null)
      .describe(
        'instead: what to encode with the CLIP that the network starts from: A, B, C, lists or files as concepts build ' +
          'takes them, or data for the classes of the data (transductive)',
      ),
    templates: z
      .enum(['kinetics', 'ucf', 'single', 'name'])
      .default('kinetics')
      .describe('list: prompts about a class'),
    control: z
      .enum(['none', 'random', 'orthogonal', 'shuffled'])
      .describe('takes the meaning out: random or orthogonal vectors, or every description with another category'),
    categories: count.describe('how many, where there is neither file nor list'),
    perCategory: count.describe('descriptions of each, where there is neither'),
    descriptions: z
      .enum(['averaged', 'all', 'none'])
      .describe('one mean vector a category, a vector each, or no description space'),
  })
  .describe('head text: the axes of the concept spaces');

const objective = z
  .strictObject({
    category: weight.describe('of concept distillation in the category space; 0 leaves it out'),
    description: weight.describe('of concept distillation in the description space; 0 leaves it out'),
    alignment: weight.describe('of concept alignment between both spaces; 0 leaves it out'),
    uniform: weight.describe('of the uniform prior in each space; 0 leaves it out'),
    uniformKind: z
      .enum(['neg-mean-log', 'neg-mean-log-running', 'kl-to-uniform'])
      .describe('its form; running: of a moving average, for more concepts than a batch can show'),
    center: z.boolean().describe('subtract a moving average from the scores of the teacher (DINO)'),
    centerMomentum: share.describe('share of that average that a step keeps'),
    studentTemperature: positive.describe('of the scores of the student'),
    teacherTemperature: positive.describe('of the scores of the teacher; smaller is sharper'),
    teacherTemperatureStart: positive.describe('the same in the first epoch'),
    teacherWarmupEpochs: z.number().int().min(0).describe('epochs in which it goes from one to the other'),
    alignmentMode: z
      .enum(['aligned', 'prob-sum', 'mean-score', 'similarity'])
      .describe('how descriptions become categories: averaged vectors, added probabilities, mean scores, similarity'),
    alignmentDirection: z
      .enum(['both', 'category-to-description', 'description-to-category'])
      .describe('which space teaches the other'),
    alignmentDivergence: z.enum(['cross-entropy', 'symmetric-kl']).describe('between the spaces'),
    alignmentCrossView: z.boolean().describe('only between different views'),
    similarityTemperature: positive.describe('mode similarity: of the similarity of texts'),
  })
  .describe('the losses');

const teacher = z
  .strictObject({
    kind: z
      .enum(['ema', 'copy', 'frozen'])
      .describe('a moving average of the student, the student as it is, or the network of the start'),
    momentum: share.describe('ema: share of its weights that the teacher keeps in a step, at the start'),
    momentumEnd: share.describe('the same towards the end, along a cosine'),
    dropPath: z.boolean().describe('the teacher leaves out branches as the student does (SVT)'),
  })
  .describe('the network that is learnt from');

const train = z
  .strictObject({
    epochs: count.describe('passes over all videos'),
    batch: count.describe('videos in a step'),
    learningRate: positive.describe('at the top of the schedule, for 256 videos in a step; in proportion for others'),
    temporalLearningRate: positive.describe('the same of attention over time and of time embeddings'),
    finalLearningRate: z.number().min(0).describe('where the cosine of learningRate leads'),
    warmupEpochs: z.number().min(0).describe('epochs in which the rate rises from 0'),
    layerDecay: positive.max(1).describe('factor of the learning rate from each block to the one before it'),
    weightDecay: weight.describe('of AdamW, at the start; biases and norms have none'),
    weightDecayEnd: weight.describe('the same towards the end, along a cosine'),
    decayEmbeddings: z.boolean().describe('weight decay for class, position and time embeddings too'),
    clipEach: positive
      .nullable()
      .describe('largest norm of the gradient of each parameter by itself (DINO); see also training.clipGradients'),
    freezeSpace: z.boolean().describe('only attention over time, time embeddings and the projection learn'),
    freezeProjection: z.boolean().describe('clip-video: the projection to the shared space stays'),
    freezeLastLayerEpochs: z.number().int().min(0).describe('head dino: epochs in which its last layer rests'),
  })
  .describe('the training');

/** Every setting of an LSS run, and of its ancestor SVT. Unknown keys are errors. */
export const lssRecipe = z
  .strictObject({
    method: z.literal('lss').describe('what is learnt'),
    seed,
    frames,
    clips,
    inputSize,
    augment,
    model,
    head,
    concepts,
    objective,
    teacher,
    train,
    training: trainingSettings,
    evaluation: z
      .strictObject({ clips: count.describe('clips of a video whose features are averaged') })
      .describe('how a video is seen in tests'),
  })
  .superRefine(({ head, concepts, objective, model, clips, train, training }, context) => {
    const problem = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (head.kind === 'text') {
      const { file, list, control } = concepts;
      if (file === null && list === null && (control === 'none' || control === 'shuffled')) {
        problem(['concepts', 'file'], 'or list must name concepts, or concepts.control be random or orthogonal');
      }
      if (file !== null && list !== null) problem(['concepts', 'list'], 'must be null where concepts.file is given');
      if (list !== null && model.pretrained === null) {
        problem(['model', 'pretrained'], 'must name a CLIP: its text tower encodes concepts.list');
      }
      const needsDescriptions = objective.description > 0 || objective.alignment > 0;
      if (concepts.descriptions === 'none' && needsDescriptions) {
        problem(['concepts', 'descriptions'], 'must not be none where objective.description or alignment is above 0');
      }
      if (objective.category + objective.description + objective.alignment === 0) {
        problem(['objective'], 'category, description and alignment are all 0: nothing is learnt');
      }
    }
    if (head.kind === 'dino' && objective.uniform > 0) {
      problem(['objective', 'uniform'], 'is of concept spaces; with the head dino it must be 0, and center true');
    }
    if (training.ema.decay !== null) problem(['training', 'ema', 'decay'], 'must be null: the teacher is the average');
    if (model.width % model.heads !== 0) problem(['model', 'heads'], 'must divide model.width');
    if (clips.localSize % model.patch !== 0) problem(['clips', 'localSize'], 'must be a multiple of model.patch');
    if (train.freezeSpace && (model.attention === 'joint' || model.attention === 'space-only')) {
      problem(['train', 'freezeSpace'], `leaves nothing to learn over time with ${model.attention} attention`);
    }
  });

/** Every setting of an LSS run; {@link lssRecipe} checks them. */
export type LssRecipe = z.infer<typeof lssRecipe>;
