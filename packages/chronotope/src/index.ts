export { ChronotopeError } from './errors.js';
export * from './models/index.js';
export { loadRecipe, shippedRecipes } from './recipes/load.js';
export { type TimeBalanceRecipe, timebalanceRecipe } from './recipes/timebalance.js';
export { evaluateRun, type RunEvaluation } from './runs/evaluate.js';
export { type FilePrediction, predictFiles } from './runs/predict.js';
export { type TrainOptions, trainTimeBalance } from './runs/train.js';
export type { Progress, ProgressTask } from './training/progress.js';
