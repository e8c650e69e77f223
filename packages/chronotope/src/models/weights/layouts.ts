import type { nn } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';
import type { KeyStyle } from '../backbone.js';

/**
 * How a file names the weights of a network:
 *
 * | format | backbone | projection head | classifier |
 * |---|---|---|---|
 * | `chronotope` | `backbone.*` | `head.*` | `fc.*` |
 * | `torchvision` (also official fine-tuned R3D-18) | `*` | | `fc.*` |
 * | `pytorchvideo` (also official fine-tuned R3D-50) | `*` | | `blocks.5.proj.*` |
 * | `timm` | `*` | | `head.*` |
 * | `clip`, the image tower of a CLIP | `*` | | |
 * | `tclr`, official pre-training | `0.*` | `1.*` | |
 * | `timebalance`, official pre-training | `0.*`, R3D-50 `0.r3d50.*` | `1.*` | |
 * | `moco`, official pre-training of MoCo and CCL | `encoder_q.*` | `encoder_q.fc.*`, CCL's second one `q_cycle_fc.*` | |
 * | `ccl`, a stage of a CCL run | `query.backbone.*` | `query.head.*`, `query.cycle_head.*` | |
 * | `byol`, target networks of BYOL's kind | `target_encoder.net.*` | | |
 */
export type WeightsFormat =
  | 'chronotope'
  | 'torchvision'
  | 'pytorchvideo'
  | 'timm'
  | 'clip'
  | 'tclr'
  | 'timebalance'
  | 'moco'
  | 'ccl'
  | 'byol';

/** In which order the colour channels of the frames are that the weights expect. */
export type ChannelOrder = 'rgb' | 'bgr';

/** The parts of a network that files keep in different places. */
export type Part = 'backbone' | 'head' | 'cycle_head' | 'fc';

export interface Layout {
  format: WeightsFormat;
  /** Beginning of the keys of each part; absent or null where files of this format have no such part. */
  prefixes: Readonly<Partial<Record<Part, string | null>>>;
  /** Channel order of such files unless the user says otherwise: TCLR's README says that its weights expect BGR. */
  channels: ChannelOrder;
}

const CHRONOTOPE: Layout = {
  format: 'chronotope',
  prefixes: { backbone: 'backbone.', head: 'head.', cycle_head: 'cycle_head.', fc: 'fc.' },
  channels: 'rgb',
};

const TCLR: Layout = { format: 'tclr', prefixes: { backbone: '0.', head: '1.', fc: null }, channels: 'bgr' };

const LAYOUTS: Record<KeyStyle, readonly Layout[]> = {
  torchvision: [
    CHRONOTOPE,
    { format: 'torchvision', prefixes: { backbone: '', head: null, fc: 'fc.' }, channels: 'rgb' },
    TCLR,
    { ...TCLR, format: 'timebalance', channels: 'rgb' },
    {
      format: 'moco',
      prefixes: { backbone: 'encoder_q.', head: 'encoder_q.fc.', cycle_head: 'q_cycle_fc.' },
      channels: 'rgb',
    },
    {
      format: 'ccl',
      prefixes: { backbone: 'query.backbone.', head: 'query.head.', cycle_head: 'query.cycle_head.' },
      channels: 'rgb',
    },
    { format: 'byol', prefixes: { backbone: 'target_encoder.net.' }, channels: 'rgb' },
  ],
  pytorchvideo: [
    CHRONOTOPE,
    { format: 'pytorchvideo', prefixes: { backbone: '', head: null, fc: 'blocks.5.proj.' }, channels: 'rgb' },
    { format: 'timebalance', prefixes: { backbone: '0.r3d50.', head: '1.', fc: null }, channels: 'rgb' },
  ],
  timm: [CHRONOTOPE, { format: 'timm', prefixes: { backbone: '', head: null, fc: 'head.' }, channels: 'rgb' }],
  clip: [CHRONOTOPE, { format: 'clip', prefixes: { backbone: '', head: null, fc: null }, channels: 'rgb' }],
  chronotope: [CHRONOTOPE],
};

/** The formats that a network's weights can be in. */
export function layoutsOf(model: nn.Module): readonly Layout[] {
  const backbone = model.namedChildren().get('backbone') ?? model;
  return LAYOUTS[(backbone as { keyStyle?: KeyStyle }).keyStyle ?? 'chronotope'];
}

/**
 * The layout of a format.
 *
 * @throws ChronotopeError `weights-format` if there is no such format of this network
 */
export function layoutOf(model: nn.Module, format: WeightsFormat): Layout {
  const layouts = layoutsOf(model);
  const found = layouts.find((layout) => layout.format === format);
  if (found) return found;
  const { name } = (model.namedChildren().get('backbone') ?? model).constructor;
  throw new ChronotopeError('weights-format', `weights of ${name} do not come in the format ${format}`, {
    hint: `use one of ${layouts.map((layout) => layout.format).join(', ')}`,
    details: { format, known: layouts.map((layout) => layout.format) },
  });
}

/** A key of a model and the key that a file has for it, or null if files of the format have no such part. */
export interface KeyPair {
  own: string;
  foreign: string | null;
  part: Part;
}

/** Pairs every key of a model's state dict with that of a file. */
export function pairKeys(model: nn.Module, { prefixes }: Layout): KeyPair[] {
  const whole = model.namedChildren().has('backbone');
  return [...model.stateDict().keys()].map((own) => {
    const { part, rest } = splitKey(own, whole);
    const prefix = prefixes[part] ?? null;
    return { own, foreign: prefix === null ? null : prefix + rest, part };
  });
}

/** A model without a `backbone` is one itself, apart from its classifier. */
function splitKey(own: string, whole: boolean): { part: Part; rest: string } {
  const [first, ...rest] = own.split('.');
  if (first === 'fc' || (whole && (first === 'head' || first === 'cycle_head' || first === 'backbone'))) {
    return { part: first, rest: rest.join('.') };
  }
  return { part: 'backbone', rest: own };
}
