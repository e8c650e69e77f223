import { type DType, type Tensor, tensor } from '@chronotope/torch';

/** A tensor in a golden file: row-major numbers. */
export interface GoldenTensor {
  shape: number[];
  dtype: DType;
  data: number[];
}

/** @param options.dtype by default the file's */
export function goldenTensor(
  { shape, dtype, data }: GoldenTensor,
  options: { dtype?: DType; requiresGrad?: boolean } = {},
): Tensor {
  return tensor(data, { shape, dtype, ...options });
}

/** A state dict of golden tensors. */
export function goldenState(state: Record<string, GoldenTensor>): Map<string, Tensor> {
  return new Map(Object.entries(state).map(([key, value]) => [key, goldenTensor(value)]));
}
