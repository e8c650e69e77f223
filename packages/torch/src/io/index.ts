export { loadNpy, loadNpyAsync, saveNpy, saveNpyAsync } from './npy.js';
export { loadNpz, loadNpzAsync } from './npz.js';
export type { PythonObject } from './pickle-values.js';
export { isPythonObject } from './pickle-values.js';
export type { AsyncFileOptions } from './pieces.js';
export { loadPth, loadPthAsync, type Pth, type PthFormat } from './pth.js';
export type { PthValue, Skipped } from './pth-value.js';
export { type PthSavable, savePth, savePthAsync } from './pth-writer.js';
export {
  loadSafetensors,
  loadSafetensorsAsync,
  type NamedTensors,
  openSafetensors,
  type Safetensors,
  type SafetensorsEntry,
  type SafetensorsFile,
  type SafetensorsOptions,
  saveSafetensors,
  saveSafetensorsAsync,
} from './safetensors.js';
export { type LoadedStateDict, loadStateDict, loadStateDictAsync, STATE_DICT_KEYS } from './state-dict.js';
