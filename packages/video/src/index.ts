export { liveChildCount } from './children.js';
export {
  normalisedTimeline,
  type PretextClips,
  pretextClips,
  type ShortVideoPolicy,
  similarityClips,
  testClips,
  trainClip,
} from './clip-sampling.js';
export {
  type DecodedVideo,
  type DecodeOptions,
  type DecodeSummary,
  decode,
  frames,
  type VideoFrame,
} from './decode.js';
export { type EncodeOptions, encode } from './encode.js';
export { VideoError, type VideoErrorCode, type VideoErrorFields } from './errors.js';
export { type FfmpegPrograms, findFfmpeg } from './ffmpeg.js';
export { type DamagedVideo, FrameStore, type StoredVideo } from './frame-store.js';
export {
  type BuildFrameStoreOptions,
  type BuildProgress,
  type BuildResult,
  buildFrameStore,
  type FailedVideo,
} from './frame-store-build.js';
export { type PacketOptions, type PacketTimeline, readPackets } from './packets.js';
export { type ProbeOptions, probe, type VideoInfo } from './probe.js';
export type { FrameStoreSettings } from './store-entry.js';
