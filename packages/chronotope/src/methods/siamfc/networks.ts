import { ChronotopeError } from '../../errors.js';
import { AlexNet } from '../../models/alexnet.js';
import { ResNet18, ResNet50 } from '../../models/image-resnet.js';
import { SiamFC, type TrackingBackbone } from '../../models/siamfc.js';
import { importWeights } from '../../models/weights/import-weights.js';
import type { WeightsReport } from '../../models/weights/report.js';
import type { TrackerRecipe } from '../../recipes/tracker.js';
import type { TrackerSettings } from './settings.js';
import type { TrainingViewSettings } from './training-view.js';

/** Pixels of an image for one place of the feature map, of every backbone. */
const STRIDE = 8;

/** A tracker's network with new weights. */
export function newSiamFC({ model }: TrackerRecipe): SiamFC {
  const { backbone, head, outScale, frozen } = model;
  return new SiamFC(newBackbone(model), { head, outScale, frozen, normalise: backbone !== 'alexnet' });
}

function newBackbone({ backbone, width, depths }: TrackerRecipe['model']): TrackingBackbone {
  if (backbone === 'alexnet') return new AlexNet();
  const options = { outputStride: STRIDE, ...(width && { width }), ...(depths && { depths }) } as const;
  return backbone === 'resnet18' ? new ResNet18(options) : new ResNet50(options);
}

/**
 * Loads the weights of a backbone from a file in any layout that docs/models.md lists.
 *
 * @throws ChronotopeError `weights-differ`, `no-published-weights` for AlexNet
 */
export function loadBackbone({ backbone }: SiamFC, file: string): WeightsReport {
  if (!(backbone instanceof AlexNet)) return importWeights(backbone, file);
  throw new ChronotopeError('no-published-weights', 'the original AlexNet of SiamFC is trained from random weights', {
    hint: 'Choose model.backbone=resnet18 or resnet50 for pre-trained weights.',
  });
}

/** How training images are cut out. */
export function trainingViewSettings({ views }: TrackerRecipe): TrainingViewSettings {
  return { ...views, stride: STRIDE };
}

/** How an object is followed. */
export function trackerSettings({ views, tracking }: TrackerRecipe): TrackerSettings {
  const { exemplarSize, searchSize, context, crop } = views;
  return { exemplarSize, searchSize, context, crop, stride: STRIDE, ...tracking };
}
