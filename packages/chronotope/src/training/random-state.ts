import { getRngState, type nn, scope, setRngState, tensor } from '@chronotope/torch';

/** Where libtorch's random numbers are, for each device that a module may draw them on; plain values. */
export type RandomState = { device: string; base64: string }[];

/** Of this process. Devices are called by their kind: after a resume a process may have another GPU. */
export function randomState(module: nn.Module): RandomState {
  return devicesOf(module).map((device) => {
    const bytes = scope(() => getRngState(device).data() as Uint8Array);
    return { device: device.split(':')[0]!, base64: Buffer.from(bytes).toString('base64') };
  });
}

/** Goes on from there. */
export function restoreRandomState(module: nn.Module, state: RandomState): void {
  for (const device of devicesOf(module)) {
    const saved = state.find((one) => one.device === device.split(':')[0]);
    if (saved) scope(() => setRngState(tensor(new Uint8Array(Buffer.from(saved.base64, 'base64'))), device));
  }
}

/** The CPU, where much is drawn for other devices too, and that of the module. */
function devicesOf(module: nn.Module): string[] {
  return [...new Set(['cpu', ...module.parameters().map(({ device }) => device)])];
}
