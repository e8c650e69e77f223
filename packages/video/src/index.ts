export { liveChildCount } from './children.js';
export { type ClipOptions, type ClipPolicy, clip } from './clip.js';
export type { DecodeSummary, VideoDamage } from './completeness.js';
export { type ContactSheet, type SheetStrip, writeContactSheet } from './contact-sheet.js';
export { type DecodedVideo, type DecodeOptions, decode, frames, type VideoFrame } from './decode.js';
export { estimateFrames, type FrameSelection } from './decode-plan.js';
export { decodeSmallVideos, type SmallVideo } from './decode-together.js';
export { type EncodedPart, type EncodeOptions, encode, encodeParts } from './encode.js';
export { VideoError, type VideoErrorCode, type VideoErrorFields, type VideoPosition } from './errors.js';
export { type FfmpegPrograms, findFfmpeg, listDecoders } from './ffmpeg.js';
export {
  detailedFrames,
  distinctFrames,
  edgeShares,
  type FrameBatch,
  type Inside,
  withoutBorder,
} from './frame-filters.js';
export {
  type DamagedVideo,
  FrameStore,
  type StoredVideo,
  type StoreSelection,
} from './frame-store.js';
export { buildFrameStore } from './frame-store-build.js';
export type { BuildFrameStoreOptions, BuildProgress, BuildResult, FailedVideo } from './frame-store-options.js';
export { imageSizes, readImages, startReadingImages } from './image-files.js';
export { type ImageFramesOptions, imageFrames, imageSize } from './image-frames.js';
export { type PacketOptions, type PacketTimeline, probeWithPackets, readPackets } from './packets.js';
export { encodeAnimation, encodePicture, type Picture, type PictureEncoding } from './picture.js';
export { type ProbeOptions, probe, type VideoInfo } from './probe.js';
export { proberIsUsable } from './prober.js';
export { type PretextClips, pretextClips, similarityClips, testClips, trainClip } from './sampling/clips.js';
export { denseTestClips } from './sampling/dense-clips.js';
export {
  consecutiveSurvivors,
  type QueryAndCandidates,
  queryAndCandidates,
  type SpacedPositions,
  spacedPositions,
} from './sampling/related-frames.js';
export {
  type SegmentDraw,
  type SegmentViewMode,
  type SegmentViews,
  segmentTestClip,
  segmentViews,
  VARYING_LOCAL_FRAMES,
} from './sampling/segments.js';
export {
  extendedTimeline,
  normalisedTimeline,
  SHORT_VIDEO_POLICIES,
  type ShortVideoPolicy,
} from './sampling/short-video.js';
export { frameAt, timelineAtRate } from './sampling/time.js';
export { copyMember } from './source-frames.js';
export { type ArchiveMember, type ClipRange, type ImageSequence, partOf, type SourceVideo } from './source-video.js';
export type { FrameStoreSettings, StoreFormat } from './store-entry.js';
export { formatBytes, type StorePlan } from './store-plan.js';
export { currentState, hashSource, type KnownFile, type SourceState } from './store-sources.js';
export { clearStore, type DamagedEntry, describeStore, type StoreKind, verifyStore } from './store-upkeep.js';
export { type PictureRequest, readPictures } from './stored-pictures.js';
