import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import sharp from 'sharp';
import { invalidArgument } from './errors.js';
import { encodePicture, type Picture } from './picture.js';

/** Pictures side by side, with a heading above and a caption under each. */
export interface SheetStrip {
  heading: string;
  /** Further lines under the heading; long ones are wrapped. */
  details: readonly string[];
  /** Of one size. */
  images: readonly Picture[];
  /** One for each image. */
  captions: readonly string[];
  /** Where the images lie in the video, 0 its beginning and 1 its end: drawn as marks on a line as long as the page is wide. */
  places?: readonly number[];
}

/** A page of strips. */
export interface ContactSheet {
  title: string;
  /** Lines under the title; long ones are wrapped. */
  notes: readonly string[];
  strips: readonly SheetStrip[];
}

const MARGIN = 20;
const GAP = 4;
/** Short side of an image on the sheet at most: small ones are enlarged by a whole factor, large ones reduced. */
const LARGEST_TILE = 128;
const NARROWEST = 640;
const FONT = `font-family="DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"`;
/** Width of a character of 12-pixel text, about. */
const CHARACTER = 7;
const LINE = 17;

/**
 * Draws a contact sheet: `.png`, `.svg`, or `.html` (one file with everything inside), by the ending of the path.
 *
 * @throws VideoError `invalid-argument` for another ending
 */
export async function writeContactSheet(path: string, sheet: ContactSheet): Promise<void> {
  const ending = extname(path).toLowerCase();
  if (!['.png', '.svg', '.html'].includes(ending)) {
    throw invalidArgument(`A contact sheet cannot be written as "${path}".`, 'End the name in .png, .svg or .html.');
  }
  const svg = await drawContactSheet(sheet);
  if (ending === '.png') {
    const png = sharp(Buffer.from(svg), { unlimited: true }).flatten({ background: '#fff' });
    await png.png({ compressionLevel: 9 }).toFile(path);
  } else if (ending === '.svg') {
    await writeFile(path, svg);
  } else {
    const title = escaped(sheet.title);
    await writeFile(path, `<!doctype html>\n<meta charset="utf-8">\n<title>${title}</title>\n${svg}\n`);
  }
}

/** The sheet as an SVG document with the images inside. */
async function drawContactSheet({ title, notes, strips }: ContactSheet): Promise<string> {
  const widest = Math.max(...strips.map(({ images }) => images.length * (tileSize(images[0]!).width + GAP) - GAP));
  const width = Math.max(NARROWEST, widest) + 2 * MARGIN;
  const parts: string[] = [];
  let y = MARGIN;
  const writeLine = (content: string, style: TextStyle, lineHeight: number): void => {
    y += lineHeight;
    parts.push(text(MARGIN, y, content, style));
  };
  writeLine(title, { size: 18, bold: true }, 16);
  for (const line of notes.flatMap((note) => wrapped(note, width))) writeLine(line, {}, LINE);
  for (const strip of strips) {
    writeLine(strip.heading, { size: 14, bold: true }, 2 * LINE);
    for (const line of strip.details.flatMap((detail) => wrapped(detail, width))) writeLine(line, {}, LINE);
    const drawn = await drawStrip(strip, y + 8, width - 2 * MARGIN);
    parts.push(drawn.svg);
    y += 8 + drawn.height;
  }
  const height = y + MARGIN;
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const page = `<rect width="${width}" height="${height}" fill="#fff"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${page}${parts.join('\n')}</svg>`;
}

async function drawStrip(
  { images, captions, places }: SheetStrip,
  top: number,
  width: number,
): Promise<{ svg: string; height: number }> {
  const tile = tileSize(images[0]!);
  const parts = await Promise.all(
    images.map(async (image, k) => {
      const x = MARGIN + k * (tile.width + GAP);
      const source = `data:image/png;base64,${(await encodePicture(image, tile)).toString('base64')}`;
      const picture = `<image x="${x}" y="${top}" width="${tile.width}" height="${tile.height}" href="${source}"/>`;
      return picture + text(x + tile.width / 2, top + tile.height + 13, captions[k] ?? '', { size: 10, centred: true });
    }),
  );
  const lineTop = top + tile.height + 20;
  if (places !== undefined) {
    parts.push(`<rect x="${MARGIN}" y="${lineTop}" width="${width}" height="5" rx="2" fill="#e3e6ea"/>`);
    for (const place of places) {
      const x = MARGIN + Math.min(Math.max(place, 0), 1) * (width - 3);
      parts.push(`<rect x="${x.toFixed(1)}" y="${lineTop}" width="3" height="5" fill="#d3541b"/>`);
    }
  }
  return { svg: parts.join(''), height: tile.height + (places === undefined ? 16 : 27) };
}

function tileSize({ height, width }: Picture): { height: number; width: number } {
  const short = Math.min(height, width);
  const factor = short <= LARGEST_TILE ? Math.floor(LARGEST_TILE / short) : LARGEST_TILE / short;
  return { height: Math.round(height * factor), width: Math.round(width * factor) };
}

function wrapped(line: string, width: number): string[] {
  const most = Math.floor((width - 2 * MARGIN) / CHARACTER);
  const lines: string[] = [];
  for (const word of line.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

interface TextStyle {
  size?: number;
  bold?: boolean;
  centred?: boolean;
}

function text(x: number, y: number, content: string, style: TextStyle): string {
  const { size = 12, bold = false, centred = false } = style;
  const weight = bold ? ' font-weight="bold"' : '';
  const anchor = centred ? ' text-anchor="middle"' : '';
  const colour = bold ? '#14181f' : '#525a66';
  const place = `x="${x}" y="${y}" font-size="${size}" fill="${colour}"`;
  return `<text ${place} ${FONT}${weight}${anchor}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
