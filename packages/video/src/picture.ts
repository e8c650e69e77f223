import sharp from 'sharp';

/** One picture: uint8 R, G, B, row by row. */
export interface Picture {
  data: Uint8Array;
  height: number;
  width: number;
}

/** How a picture becomes a file. */
export interface PictureEncoding {
  /** Size of the encoded picture; its shape may change. Default: that of the picture. */
  height?: number;
  width?: number;
  /** Default `png`. */
  format?: 'png' | 'jpeg';
  /** Of a JPEG, 1 to 100. Default 80. */
  quality?: number;
}

/** Encodes a picture as PNG or JPEG. Enlarged ones are not smoothed, so that every pixel can be seen. */
export async function encodePicture(picture: Picture, encoding: PictureEncoding = {}): Promise<Buffer> {
  const { height = picture.height, width = picture.width, format = 'png', quality = 80 } = encoding;
  const raw = sharp(picture.data, { raw: { height: picture.height, width: picture.width, channels: 3 } });
  const kernel = width >= picture.width ? 'nearest' : 'lanczos3';
  const resized = raw.resize(width, height, { kernel, fit: 'fill' });
  return (format === 'png' ? resized.png() : resized.jpeg({ quality, mozjpeg: true })).toBuffer();
}

/**
 * Encodes pictures of one size as an animated GIF that repeats for ever. It has 256 colours at most.
 *
 * @param options.fps pictures a second; GIF counts in hundredths of a second
 */
export async function encodeAnimation(pictures: readonly Picture[], { fps }: { fps: number }): Promise<Buffer> {
  const { height, width } = pictures[0]!;
  const data = Buffer.concat(pictures.map((picture) => picture.data));
  const raw = { height: height * pictures.length, width, channels: 3, pageHeight: height } as const;
  const delay = pictures.map(() => Math.round(1000 / fps));
  return sharp(data, { raw }).gif({ delay, loop: 0, keepDuplicateFrames: true }).toBuffer();
}
