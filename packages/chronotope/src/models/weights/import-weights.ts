import { type nn, scope, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';
import { reverseChannels } from './channels.js';
import {
  type ChannelOrder,
  type KeyPair,
  type Layout,
  layoutOf,
  layoutsOf,
  pairKeys,
  type WeightsFormat,
} from './layouts.js';
import { type ReadWeights, readWeights } from './read-weights.js';
import { formatWeightsReport, type WeightsReport } from './report.js';

export interface ImportWeightsOptions {
  /** How the file names the weights. Default `auto`: the format with which most of the network's keys are found. */
  format?: WeightsFormat | 'auto';
  /**
   * What the weights expect; BGR ones are turned to RGB. Default `auto`: BGR for the format `tclr`, else RGB. A
   * classifier that was fine-tuned from TCLR's weights on BGR frames has torchvision's keys: say `bgr` for it.
   */
  channels?: ChannelOrder | 'auto';
  /** Where in a checkpoint the weights are, such as `teacher_state_dict`. Default: the usual places, then the top. */
  place?: string;
  /**
   * What must be in the file with the right shapes: the `backbone` (default; a new classifier or head keeps its own
   * weights), `all`, or `any` weight at all.
   */
  require?: 'backbone' | 'all' | 'any';
}

/**
 * Loads the weights of a backbone, classifier or pre-training network from a file of another program: safetensors,
 * `.pth` and what else `loadStateDict` of @chronotope/torch reads. Weights that the file lacks stay as they are.
 *
 * @throws ChronotopeError `weights-differ` if something that is required is missing or has another shape; nothing was
 *   loaded then, and `details.report` is the whole report. `weights-format` for a format that the network has not.
 *   TorchError `io` for files that cannot be read
 */
export function importWeights(model: nn.Module, path: string, options: ImportWeightsOptions = {}): WeightsReport {
  const { format = 'auto', channels = 'auto', place, require = 'backbone' } = options;
  return scope(() => {
    const read = readWeights(path, place);
    const layout = format === 'auto' ? bestLayout(model, read.tensors) : layoutOf(model, format);
    const pairs = pairKeys(model, layout);
    const report = compare(model, pairs, read, {
      file: path,
      format: layout.format,
      channels: channels === 'auto' ? layout.channels : channels,
    });
    checkRequired(report, pairs, require);
    model.loadStateDict(selectMatched(report, pairs, read.tensors), { strict: false });
    return report;
  });
}

/** Of several formats with as many keys, the first. */
function bestLayout(model: nn.Module, tensors: ReadonlyMap<string, Tensor>): Layout {
  const found = (layout: Layout) =>
    pairKeys(model, layout).filter(({ foreign }) => foreign !== null && tensors.has(foreign)).length;
  const layouts = layoutsOf(model);
  const counts = layouts.map(found);
  return layouts[counts.indexOf(Math.max(...counts))]!;
}

function compare(
  model: nn.Module,
  pairs: readonly KeyPair[],
  { tensors, wrapper, skipped }: ReadWeights,
  file: Pick<WeightsReport, 'file' | 'format' | 'channels'>,
): WeightsReport {
  const state = model.stateDict();
  const report: WeightsReport = {
    ...file,
    wrapper,
    ...{ matched: [], missing: [], unexpected: [], mismatched: [] },
    skipped: skipped.map(({ path, kind }) => ({ path, kind })),
  };
  for (const { own, foreign } of pairs) {
    const source = foreign === null ? undefined : tensors.get(foreign);
    const expected = [...state.get(own)!.shape];
    if (foreign === null || source === undefined) {
      report.missing.push(own);
    } else if (source.ndim === expected.length && expected.every((size, axis) => size === source.shape[axis])) {
      report.matched.push(own);
    } else {
      report.mismatched.push({ key: own, foreign, expected, found: [...source.shape] });
    }
  }
  const known = new Set(pairs.map(({ foreign }) => foreign));
  report.unexpected = [...tensors.keys()].filter((key) => !known.has(key));
  return report;
}

function checkRequired(
  report: WeightsReport,
  pairs: readonly KeyPair[],
  require: NonNullable<ImportWeightsOptions['require']>,
): void {
  const required = new Set(pairs.filter(({ part }) => require === 'all' || part === 'backbone').map(({ own }) => own));
  const lacking = [...report.missing, ...report.mismatched.map(({ key }) => key)].filter(
    // Files of PyTorch before 0.4.1 have no such counts; nothing depends on them.
    (key) => required.has(key) && !key.endsWith('num_batches_tracked'),
  );
  const enough = require === 'any' ? report.matched.length > 0 : lacking.length === 0;
  if (enough) return;
  const keys = report.matched.length === 0 ? `the file has ${report.unexpected.slice(0, 3).join(', ')}` : '';
  throw new ChronotopeError('weights-differ', `the weights do not fit the network\n${formatWeightsReport(report)}`, {
    hint:
      keys === ''
        ? `Use the network that the file was saved from (${lacking[0]} is the first weight it lacks), or require less.`
        : `Use the network that the file was saved from, or say where in the file its weights are: ${keys}.`,
    details: { report },
  });
}

function selectMatched(
  { matched, channels }: WeightsReport,
  pairs: readonly KeyPair[],
  tensors: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const foreign = new Map(pairs.map((pair) => [pair.own, pair.foreign]));
  const state = new Map(matched.map((own): [string, Tensor] => [own, tensors.get(foreign.get(own)!)!]));
  return channels === 'bgr' ? reverseChannels(state) : state;
}
