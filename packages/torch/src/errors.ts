/** What kind of thing went wrong. */
export type TorchErrorCode =
  /** libtorch refused or failed an operator. */
  | 'operator'
  /** An argument has the wrong type or value. */
  | 'argument'
  /** A tensor was used after it had been disposed. */
  | 'disposed'
  /** libtorch has no operator of that name. */
  | 'not-found'
  /** The native addon or libtorch could not be loaded. */
  | 'library'
  /** Memory ran out. */
  | 'memory'
  /** A gradient is NaN or wrong: found by detectAnomaly() or gradcheck(). */
  | 'anomaly'
  /** libtorch was about to call JavaScript on a thread that is not JavaScript's. */
  | 'thread'
  /** A file could not be read or written, or is malformed. */
  | 'io'
  /** The processes of a group could not meet, or one of them failed. */
  | 'distributed';

/** What a {@link TorchError} carries beside its reason. */
export interface TorchErrorDetails {
  code: TorchErrorCode;
  /** The operator that failed, such as `aten::conv3d`. */
  operator?: string;
  /** Its tensor arguments with dtypes and shapes, such as `input float32 [2, 3, 8, 64, 64]`. */
  tensors?: readonly string[];
  /** What to do about it. */
  hint?: string;
  cause?: unknown;
}

/** Every error of this package. */
export class TorchError extends Error {
  override readonly name = 'TorchError';
  readonly code: TorchErrorCode;
  readonly operator: string | undefined;
  readonly tensors: readonly string[];
  readonly hint: string | undefined;

  constructor(message: string, { code, operator, tensors = [], hint, cause }: TorchErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.operator = operator;
    this.tensors = tensors;
    this.hint = hint;
  }
}

/** Makes the error for an exception that crossed from C++, with libtorch's reason. */
export function nativeError(code: string, reason: string): TorchError {
  return new TorchError(readableStep(reason), { code: code as TorchErrorCode, hint: hintFor(code, reason) });
}

/** The same error with the operator that failed and its tensors. */
export function withOperator(error: TorchError, operator: string, tensors: readonly string[]): TorchError {
  const lines = [`${operator.replace(/^aten::/, '')}: ${error.message}`, ...tensors];
  return new TorchError(lines.join('\n  '), { code: error.code, operator, tensors, hint: error.hint });
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /expected scalar type|must have the same dtype|expected m1 and m2 to have the same dtype|[Ii]nput type .* and (weight|bias) type/,
    'bring the tensors to one dtype, for instance x.to({ dtype: "float32" })',
  ],
  [/all tensors to be on the same device|same device/, 'move the tensors to one device with x.to({ device })'],
  [
    /must match the size|mat1 and mat2|shapes cannot be multiplied|size mismatch|invalid for input of size/,
    'compare the shapes',
  ],
  [/must be a (list of )?Tensor/, 'make a tensor of plain numbers with tensor(...)'],
  [/does not require grad/, 'no input requires a gradient, or the forward pass ran under noGrad()'],
  [/backward through the graph a second time/, 'pass { retainGraph: true } to the first backward'],
  [
    /modified by an inplace operation/,
    'an in-place operator changed a value that the backward pass needs; use the form without underscore',
  ],
  [
    /[Ii]nference tensor/,
    'tensors made under inferenceMode() cannot be trained with; use noGrad(), or clone() outside',
  ],
  [
    /doesn't require gradient/,
    'call requiresGrad_() first, or use a tensor that depends on one which requires gradients',
  ],
  [/leaf Variable that requires grad/, 'change parameters inside noGrad()'],
  [
    /no gradient for /,
    'every parameter must take part in the loss; freeze the others before wrapping the model, or pass { findUnusedParameters: true }',
  ],
  [
    /second gradient in one backward pass/,
    'a backward pass inside the backward pass reached the parameter again; use noSync() for all but the last',
  ],
  [
    /[Cc]onnection (closed|reset)|[Bb]roken pipe|[Ss]ocket closed/,
    "another rank has ended: look for the first error in the other ranks' output",
  ],
  [
    /[Tt]imed out|[Tt]imeout/,
    'a rank does not answer: see whether all ranks run, call the same collectives in the same order, and reach each other; raise timeoutSeconds if one legitimately takes longer',
  ],
  [/Expected more than 1 value per channel/, 'batch normalisation in training needs more than one value per channel'],
];

/** What libtorch calls the steps of custom functions. */
const SCRIPT_FUNCTION = /torch::autograd::CppNode<.*?ScriptFunction>/g;

/** Step names of the graph as JavaScript shows them. */
export function readableStep(text: string): string {
  return text.replace(SCRIPT_FUNCTION, 'CustomFunction');
}

function hintFor(code: string, reason: string): string | undefined {
  if (code === 'disposed') return 'the tensor left its scope or was disposed; return it from the scope or keep() it';
  if (code === 'thread')
    return 'libtorch 2 calls hooks and custom functions on the right thread for CUDA tensors as well';
  if (code === 'memory') return 'make the batch smaller, or dispose tensors earlier with scope()';
  return HINTS.find(([pattern]) => pattern.test(reason))?.[1];
}
