export { loadNpy, saveNpy } from './npy.js';
export { loadNpz } from './npz.js';
export type { PythonObject } from './pickle-values.js';
export { isPythonObject } from './pickle-values.js';
export { loadPth, type Pth, type PthFormat } from './pth.js';
export type { PthValue, Skipped } from './pth-value.js';
export { type PthSavable, savePth } from './pth-writer.js';
export {
  loadSafetensors,
  openSafetensors,
  type Safetensors,
  type SafetensorsEntry,
  type SafetensorsFile,
  saveSafetensors,
} from './safetensors.js';
export { type LoadedStateDict, loadStateDict, STATE_DICT_KEYS } from './state-dict.js';
