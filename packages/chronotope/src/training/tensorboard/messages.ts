import protobuf from 'protobufjs';

/** The messages of an event file, under the names and numbers that TensorBoard gives them; only what is written here. */
const SCHEMA = `
  syntax = "proto3";
  message Event {
    double wall_time = 1;
    int64 step = 2;
    oneof what {
      string file_version = 3;
      Summary summary = 5;
    }
  }
  message Summary {
    repeated Value value = 1;
    message Value {
      string tag = 1;
      SummaryMetadata metadata = 9;
      oneof value {
        float simple_value = 2;
        Image image = 4;
        HistogramProto histo = 5;
      }
    }
    message Image {
      int32 height = 1;
      int32 width = 2;
      int32 colorspace = 3;
      bytes encoded_image_string = 4;
    }
  }
  message SummaryMetadata {
    PluginData plugin_data = 1;
    message PluginData {
      string plugin_name = 1;
      bytes content = 2;
    }
  }
  message HistogramProto {
    double min = 1;
    double max = 2;
    double num = 3;
    double sum = 4;
    double sum_squares = 5;
    repeated double bucket_limit = 6 [packed = true];
    repeated double bucket = 7 [packed = true];
  }
`;

const EVENT = protobuf.parse(SCHEMA).root.lookupType('Event');

/** One event: what was measured after a step, or the first line of a file. */
export interface Event {
  /** Seconds since 1970. */
  wallTime: number;
  /** Counted from 1; 0 in the first line. */
  step: number;
  fileVersion?: string;
  summary?: { value: SummaryValue[] };
}

/** One value under a name; a `/` in the name makes groups. */
export type SummaryValue = { tag: string } & (
  | { simpleValue: number }
  | { histo: Histogram }
  | { image: Image }
  | { metadata: { pluginData: { pluginName: string; content: Uint8Array } } }
);

/** A picture, or an animation, which TensorBoard shows among the pictures. */
export interface Image {
  height: number;
  width: number;
  /** 3: red, green and blue. */
  colorspace: 3;
  /** The bytes of a PNG or GIF file. */
  encodedImageString: Uint8Array;
}

/** Counts of values between limits. */
export interface Histogram {
  min: number;
  max: number;
  num: number;
  sum: number;
  sumSquares: number;
  /** The upper limit of each bucket, rising. */
  bucketLimit: number[];
  /** How many values lie below the limit of each bucket, and not below the one before. */
  bucket: number[];
}

/** The bytes of an event. */
export function encodeEvent(event: Event): Uint8Array {
  return EVENT.encode(EVENT.create({ ...event })).finish();
}

/** The event of some bytes. */
export function decodeEvent(bytes: Uint8Array): Event {
  return EVENT.toObject(EVENT.decode(bytes), { longs: Number, defaults: true }) as Event;
}
