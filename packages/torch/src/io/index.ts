export { writeAtomically } from './atomic-write.js';
export { loadSafetensors, type Safetensors, saveSafetensors } from './safetensors.js';
