import type { VideoInfo } from '@chronotope/video';
import { z } from 'zod';
import type { JsonLinesFormat } from '../json-lines.js';
import { type ManifestEntry, manifestEntrySchema, manifestFormat } from '../manifest.js';

const count = z.int().nonnegative();
const positive = z.number().positive();

/** Schema of {@link VideoFacts}. */
export const videoFactsSchema = z.object({
  /**
   * Container and codec as FFmpeg calls them, such as `mov,mp4,m4a,3gp,3g2,mj2` and `h264`; `images` or `image` (a single
   * one) and their format for what is no video file.
   */
  container: z.string(),
  codec: z.string(),
  pixelFormat: z.string(),
  /** Pixels as displayed: after rotation, with square pixels. */
  width: count,
  height: count,
  /** Degrees, clockwise, by which the stored picture is turned for display. */
  rotation: z.number(),
  /** Width of a stored pixel divided by its height. */
  sampleAspectRatio: positive,
  /** Whether there is sound. */
  audio: z.boolean(),
  /** Frames that could be decoded. */
  frames: count,
  /** Seconds from the first frame to the end of the last, as decoded. */
  duration: z.number().nonnegative(),
  /** Seconds that the header states, or null. Of the picture alone, or of the whole file with its sound. */
  statedDuration: z.number().nullable(),
  durationOf: z.enum(['stream', 'container']).nullable(),
  /** Time stamp of the first frame, seconds. */
  startTime: z.number(),
  /** Frames per second as decoded: frames / duration. */
  fps: positive,
  /** Average frames per second that the header states. */
  statedFps: positive,
  /** Whether frames are shown for clearly different times. */
  variableFrameRate: z.boolean(),
  /** Frames that decoding can start at. */
  keyframes: count,
  /** Longest time between key frames, or from the last one to the end, seconds. */
  keyframeSpacing: z.number().nonnegative(),
  /** Frames that could be decoded divided by those that should be there, in [0, 1]. */
  decodableShare: z.number().min(0).max(1),
  /** What is wrong with a video that can be used all the same. */
  warnings: z.array(z.string()),
  /** Perceptual hash, 256 bits in hexadecimal (see perceptual-hash.ts), or null for a video without any contrast. */
  perceptualHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
});

/** What is known of a video after all of it was decoded once. */
export type VideoFacts = z.infer<typeof videoFactsSchema>;

/** Schema of {@link FileState}. */
export const fileStateSchema = z.object({
  bytes: count,
  /** Time of the last change, milliseconds since 1970. */
  modified: z.number(),
  /** SHA-256 of the contents, in hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** By what a file is known to be unchanged. */
export type FileState = z.infer<typeof fileStateSchema>;

/** Schema of {@link Failure}. */
export const failureSchema = z.object({
  /** A `VideoErrorCode`, such as `truncated`. */
  code: z.string(),
  /** What is wrong, and what to do; whole sentences. */
  reason: z.string(),
  hint: z.string(),
});

/** Why a file cannot be used. */
export type Failure = z.infer<typeof failureSchema>;

/** Schema of {@link VideoHeader}. */
export const videoHeaderSchema = z.object({
  container: z.string(),
  codec: z.string(),
  pixelFormat: z.string(),
  width: count,
  height: count,
  codedWidth: count,
  codedHeight: count,
  rotation: z.number(),
  sampleAspectRatio: z.number(),
  frameRate: z.number(),
  averageFrameRate: z.number(),
  duration: z.number().nullable(),
  durationOf: z.enum(['stream', 'container']).nullable(),
  frameCount: z.number().nullable(),
  startTime: z.number(),
  startPts: z.number(),
  timeBase: z.tuple([z.number(), z.number()]).readonly(),
});

/** What the header of a video states, exactly: so that nobody has to ask the file again. */
export type VideoHeader = Omit<VideoInfo, 'path' | 'bytes'>;

/** What inspecting a video gave; images have no header. */
export type Outcome = { video: VideoFacts; header?: VideoHeader } | { failure: Failure };

/** A line of the manifest that the index writes: a usable video with everything known of it. */
export interface IndexedVideo extends ManifestEntry {
  file: FileState;
  video: VideoFacts;
}

/** How the manifests of the index are read with all their fields; `readManifest` reads them too. */
export const indexedManifestFormat: JsonLinesFormat<IndexedVideo> = {
  ...manifestFormat,
  schema: manifestEntrySchema.extend({ file: fileStateSchema, video: videoFactsSchema }),
};

/** A line of the quarantine: a file that was listed and cannot be used. */
export interface QuarantinedVideo extends ManifestEntry, Failure {}

/** How the quarantine is read. */
export const quarantineFormat: JsonLinesFormat<QuarantinedVideo> = {
  ...manifestFormat,
  schema: manifestEntrySchema.extend(failureSchema.shape),
};
