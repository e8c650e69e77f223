/** Red, green and blue; 0 is black, 1 full. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Hue (1 is once around the colour circle, any number allowed), saturation and value to red, green and blue. */
export function fromHsv(hue: number, saturation: number, value: number): Colour {
  const channel = (offset: number): number => {
    const sector = (((offset + hue * 6) % 6) + 6) % 6;
    return value - value * saturation * Math.max(0, Math.min(sector, 4 - sector, 1));
  };
  return [channel(5), channel(3), channel(1)];
}

/** Place on the colour circle, from 0 (red) up to 1. */
export function hueOf([red, green, blue]: Colour): number {
  const angle = Math.atan2(Math.sqrt(3) * (green - blue), 2 * red - green - blue) / (2 * Math.PI);
  return angle < 0 ? angle + 1 : angle;
}
