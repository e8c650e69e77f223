export type { IndexedVideo, QuarantinedVideo, VideoFacts } from './data/index/facts.js';
export type { HealthReport } from './data/index/health.js';
export { type IndexOptions, indexVideos } from './data/index/index-videos.js';
export { renderHealth } from './data/index/render-health.js';
export { drawLabels, type LabelBudget, type LabelDraw } from './data/label-split.js';
export {
  type ArchiveMember,
  type Box,
  type ClipRange,
  classesOf,
  type FrameFiles,
  framePaths,
  type ManifestEntry,
  readManifest,
  type Split,
  type Tracking,
  writeManifest,
} from './data/manifest.js';
export { DATASET_FORMATS, type Dataset, type DatasetFormat } from './data/readers/dataset.js';
export { type ReadDataset, type ReadDatasetOptions, readDataset } from './data/readers/read-dataset.js';
export { indexTar, readTarMember } from './data/readers/tar-index.js';
export { type Cut, cutParts } from './data/splits/cut-parts.js';
export {
  applySplit,
  type DatasetSplit,
  listHash,
  readSplit,
  splitHash,
  writeSplit,
} from './data/splits/dataset-split.js';
export { type LabelLists, readLabelList, splitFromLists } from './data/splits/label-lists.js';
export { findLeaks, type Leak, withContentHashes } from './data/splits/leaks.js';
export { type MadeSplit, makeSplit, type SplitRequest } from './data/splits/make-split.js';
export { ChronotopeError } from './errors.js';
export { Bootstrap, type BootstrapOptions, type Interval } from './evaluation/bootstrap.js';
export { type Calibration, calibration } from './evaluation/calibration.js';
export { fitLinearProbe, type LinearProbe, type LinearProbeOptions } from './evaluation/linear-probe.js';
export { type McNemar, mcnemar } from './evaluation/mcnemar.js';
export { centroidScores, knnScores, nearestNeighbours } from './evaluation/nearest-neighbours.js';
export { foundAt, type QueryResult, retrieve } from './evaluation/retrieval.js';
export { type Concept, readConcepts } from './language/concept-file.js';
export { type ConceptSpace, type Control, controlSpace } from './language/concept-space.js';
export { TEMPLATES } from './language/templates.js';
export { TextEncoder } from './language/text-features.js';
export { ClipTokenizer, type RowOptions, type TokenizerOptions } from './language/tokenizer.js';
export * from './models/index.js';
export { type CclRecipe, cclRecipe } from './recipes/ccl.js';
export { type ClipRecipe, clipRecipe } from './recipes/clip.js';
export { type FramesRecipe, framesRecipe } from './recipes/frames.js';
export { loadRecipe, loadRecipeOf, purposeOf, shippedRecipes } from './recipes/load.js';
export { type LssRecipe, lssRecipe } from './recipes/lss.js';
export { remarksOf } from './recipes/remarks.js';
export { METHOD_NAMES, type MethodName, type Recipe, type RecipeOf } from './recipes/schemas.js';
export { allSettings, explainSetting, type Setting } from './recipes/settings.js';
export { type TimeBalanceRecipe, timebalanceRecipe } from './recipes/timebalance.js';
export { trainingSettings } from './recipes/training.js';
export { type BuildR2v2Options, buildR2v2, type R2v2Report } from './runs/build-r2v2.js';
export { type CompareOptions, compareRuns, type WrittenComparison } from './runs/compare/compare-runs.js';
export { type BuildConceptsOptions, buildConcepts, loadConcepts, type SavedConcepts } from './runs/concepts.js';
export { type Embedding, type EmbedOptions, embedVideos } from './runs/embed.js';
export { type EvaluateOptions, evaluateRun, type RunEvaluation } from './runs/evaluate.js';
export { type EvaluateFeaturesOptions, evaluateFeatures, type FeatureEvaluation } from './runs/evaluate-features.js';
export {
  type EvaluateFineTuneOptions,
  evaluateFineTuned,
  type FineTuneEvaluation,
} from './runs/evaluate-fine-tune.js';
export { type Proposal, type ProposeLabelsOptions, proposeLabels, writeProposals } from './runs/label-by-words.js';
export { type FilePrediction, predictFiles } from './runs/predict.js';
export { type ReportOptions, reportRun } from './runs/report/report-run.js';
export { type SearchHit, type SearchOptions, searchVideos } from './runs/search.js';
export { type SearchLikeOptions, searchLike } from './runs/search-like.js';
export {
  type EvaluateTrackersOptions,
  evaluateTrackers,
  type TrackerEvaluation,
  type TrackersEvaluation,
} from './runs/tracking/evaluate-trackers.js';
export { type SubmissionOptions, writeGot10kSubmission } from './runs/tracking/submit-got10k.js';
export { type TrackVideoOptions, trackVideo, type VideoTrack } from './runs/tracking/track-video.js';
export { type TrainTrackerOptions, trainTracker } from './runs/tracking/train-tracker.js';
export { trainCcl } from './runs/train-ccl.js';
export { trainClip } from './runs/train-clip.js';
export { type FramesEvaluation, trainFrames } from './runs/train-frames.js';
export { trainLss } from './runs/train-lss.js';
export { type TrainOptions, trainTimeBalance } from './runs/train-timebalance.js';
export {
  type CaptionRetrieval,
  retrieveByCaption,
  type ZeroShotOptions,
  type ZeroShotResult,
  zeroShot,
} from './runs/zero-shot.js';
export type { Better } from './training/best.js';
export { gatherSamples } from './training/data-parallel.js';
export { type FitOptions, fit } from './training/fit.js';
export type { MetricsLine } from './training/metrics-window.js';
export type { StepLoss } from './training/optimizer-step.js';
export { shard, withProcesses } from './training/processes.js';
export { type Progress, type ProgressTask, silentProgress } from './training/progress.js';
export { type AdaptiveRate, namedSchedule, type Schedule, type ScheduleSettings } from './training/schedule.js';
export { PLAIN_TRAINING, partOfBatch, type TrainingSettings } from './training/settings.js';
export { StageFolder } from './training/stage-folder.js';
export type { ShownClips } from './training/tensorboard/shown-clips.js';
export { type StageLoader, type TrainStageOptions, trainStage } from './training/train-stage.js';
export type { Validation } from './training/validation.js';
