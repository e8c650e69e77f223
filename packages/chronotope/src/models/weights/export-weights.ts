import { type nn, savePth, saveSafetensors, scope, type Tensor } from '@chronotope/torch';
import { reverseChannels } from './channels.js';
import { type ChannelOrder, layoutOf, layoutsOf, pairKeys, type WeightsFormat } from './layouts.js';

export interface ExportWeightsOptions {
  /** How to name the weights. Default: as the library does that the network is from, torchvision or PyTorchVideo. */
  format?: WeightsFormat;
  /** What the weights shall expect. Default: BGR for the format `tclr`, else RGB. */
  channels?: ChannelOrder;
}

/** What {@link exportWeights} wrote. */
export interface ExportedWeights {
  file: string;
  format: WeightsFormat;
  channels: ChannelOrder;
  /** Keys in the file. */
  keys: string[];
  /** Keys of the network for which files of this format have no place. */
  leftOut: string[];
}

/**
 * Writes the weights of a backbone, classifier or pre-training network under another program's keys: with an ending
 * `.pth`, `.pt` or `.pth.tar` for `torch.load`, else as safetensors. Official checkpoints have their weights under
 * `state_dict`, and so have files of the formats `tclr`, `timebalance` and `moco`.
 *
 * @throws ChronotopeError `weights-format` for a format that the network has not
 */
export function exportWeights(model: nn.Module, path: string, options: ExportWeightsOptions = {}): ExportedWeights {
  return scope(() => {
    const layout = layoutOf(model, options.format ?? libraryFormat(model));
    const { format, channels = layout.channels } = { ...options, format: layout.format };
    const pairs = pairKeys(model, layout);
    const state = model.stateDict();
    const turned = channels === 'bgr' ? reverseChannels(state) : state;
    const named = new Map(
      pairs.flatMap(({ own, foreign }): [string, Tensor][] => (foreign === null ? [] : [[foreign, turned.get(own)!]])),
    );
    if (isPth(path)) {
      savePth(path, asCheckpoint(format, named));
    } else {
      saveSafetensors(path, named, { metadata: { format: 'pt' } });
    }
    const leftOut = pairs.filter(({ foreign }) => foreign === null).map(({ own }) => own);
    return { file: path, format, channels, keys: [...named.keys()], leftOut };
  });
}

/** Whether a file is to be one for `torch.load`. */
export function isPth(path: string): boolean {
  return /\.(pth|pt|pth\.tar)$/.test(path);
}

/** Official checkpoints nest their weights; those of MoCo and CCL were saved from DataParallel besides. */
function asCheckpoint(format: WeightsFormat, weights: Map<string, Tensor>) {
  if (format === 'moco') return { state_dict: new Map([...weights].map(([key, value]) => [`module.${key}`, value])) };
  return format === 'tclr' || format === 'timebalance' ? { state_dict: weights } : weights;
}

function libraryFormat(model: nn.Module): WeightsFormat {
  const formats = layoutsOf(model).map(({ format }) => format);
  return formats.find((format) => format === 'torchvision' || format === 'pytorchvideo') ?? 'chronotope';
}
