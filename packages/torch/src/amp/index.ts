export { type AutocastOptions, autocast } from './autocast.js';
export { GradScaler, type GradScalerOptions, type GradScalerState, type ScaledOptimizer } from './grad-scaler.js';
