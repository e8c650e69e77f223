export { describeWeights, type WeightsDescription } from './describe-weights.js';
export { type ExportedWeights, type ExportWeightsOptions, exportWeights } from './export-weights.js';
export { type ImportWeightsOptions, importWeights } from './import-weights.js';
export type { ChannelOrder, WeightsFormat } from './layouts.js';
export { formatWeightsReport, type ShapeMismatch, type WeightsReport } from './report.js';
