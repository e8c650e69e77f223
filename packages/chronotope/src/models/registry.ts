import { ChronotopeError } from '../errors.js';
import type { VideoBackbone } from './backbone.js';
import { createImageBackbone, FrameResNet, type FrameResNetName, type FrameResNetOptions } from './frame-resnet.js';
import { R3D50, type R3D50Options } from './slow-resnet.js';
import { SmallR3D, type SmallR3DOptions } from './small-r3d.js';
import { SpaceTimeViT, type SpaceTimeViTOptions } from './space-time/space-time-vit.js';
import { type LastStageOptions, MC3D18, R2Plus1D18, R3D18, type VideoResNetOptions } from './video-resnet.js';

/** A backbone's name and the options of that backbone, as recipes write them. */
export type BackboneConfig =
  | ({ name: 'small-r3d' } & SmallR3DOptions)
  | ({ name: 'r3d18' | 'r2plus1d18' } & VideoResNetOptions & LastStageOptions)
  | ({ name: 'mc3-18' } & VideoResNetOptions)
  | ({ name: 'r3d50' } & R3D50Options)
  | ({ name: FrameResNetName } & FrameResNetOptions)
  | ({ name: 'space-time-vit' } & SpaceTimeViTOptions);

/** Names that {@link createBackbone} knows. */
export const BACKBONE_NAMES = [
  'small-r3d',
  'r3d18',
  'r2plus1d18',
  'mc3-18',
  'r3d50',
  'resnet18',
  'resnet50',
  'space-time-vit',
] as const satisfies BackboneConfig['name'][];

/**
 * Makes a backbone with newly initialised weights.
 *
 * @throws ChronotopeError `unknown-backbone` for a name it does not know
 */
export function createBackbone(config: BackboneConfig): VideoBackbone {
  switch (config.name) {
    case 'small-r3d':
      return new SmallR3D(config);
    case 'r3d18':
      return new R3D18(config);
    case 'r2plus1d18':
      return new R2Plus1D18(config);
    case 'mc3-18':
      return new MC3D18(config);
    case 'r3d50':
      return new R3D50(config);
    case 'resnet18':
    case 'resnet50':
      return new FrameResNet(createImageBackbone(config.name, config), config);
    case 'space-time-vit':
      return new SpaceTimeViT(config);
    default:
      throw new ChronotopeError('unknown-backbone', `there is no backbone '${(config as { name: string }).name}'`, {
        hint: `choose one of ${BACKBONE_NAMES.join(', ')}`,
      });
  }
}
