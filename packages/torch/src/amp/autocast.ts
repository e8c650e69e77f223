import { TorchError } from '../errors.js';
import { native } from '../native.js';
import { version } from '../runtime.js';
import { refusePromise } from '../scope.js';

type DeviceType = 'cpu' | 'cuda';
type HalfType = 'bfloat16' | 'float16';

/** Settings of {@link autocast}. */
export interface AutocastOptions {
  /** Whose operators change their dtype. Default `cpu`. */
  device?: DeviceType;
  /** What the fast operators compute in. Default: bfloat16 on the CPU, float16 on CUDA. */
  dtype?: HalfType;
  /** False runs a part of an autocast body in full precision. Default true. */
  enabled?: boolean;
}

interface Mode {
  enabled: boolean;
  dtype: HalfType;
}

const modes: Record<DeviceType, Mode> = {
  cpu: { enabled: false, dtype: 'bfloat16' },
  cuda: { enabled: false, dtype: 'float16' },
};

/**
 * Runs `body` in mixed precision: libtorch computes matrix products and convolutions in a 16-bit type, and operators
 * that need the range (losses, softmax, norms) in float32. Parameters stay float32. Only the forward pass belongs
 * inside; the backward pass uses the same types by itself. With float16 scale the loss by a {@link GradScaler}.
 * Synchronous and exception-safe; may be nested.
 *
 * @throws TorchError `argument` when the device is absent or cannot compute in the dtype
 */
export function autocast<R>({ device = 'cpu', enabled = true, ...options }: AutocastOptions, body: () => R): R {
  const before = modes[device];
  const dtype = options.dtype ?? (device === 'cpu' ? 'bfloat16' : 'float16');
  if (enabled) refuseUnsupported(device, dtype);
  switchTo(device, { enabled, dtype });
  try {
    const result = body();
    refusePromise(result);
    return result;
  } finally {
    switchTo(device, before);
  }
}

/** Whether the calls of now are inside the body of an {@link autocast} for the device. */
export function isAutocastEnabled(device: DeviceType): boolean {
  return modes[device].enabled;
}

function switchTo(device: DeviceType, mode: Mode): void {
  native().setAutocast(device, mode.enabled, mode.dtype);
  modes[device] = mode;
}

function refuseUnsupported(device: DeviceType, dtype: HalfType): void {
  const { torch, cuda } = version();
  if (device === 'cuda' && !cuda) {
    throw new TorchError('autocast on cuda: this libtorch finds no CUDA device', {
      code: 'argument',
      hint: 'use { device: "cpu" }, or choose by x.device',
    });
  }
  const [major, minor] = torch.split('.').map(Number);
  if (device === 'cpu' && dtype === 'float16' && (major! < 2 || (major === 2 && minor! < 3))) {
    throw new TorchError(`libtorch ${torch} has no float16 arithmetic on the CPU`, {
      code: 'argument',
      hint: 'use { dtype: "bfloat16" }',
    });
  }
}
