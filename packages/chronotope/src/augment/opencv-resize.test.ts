import { test } from 'node:test';
import { scope, tensor } from '@chronotope/torch';
import { assertClose, type Nested, readGolden } from '../testing/golden.js';
import { OPENCV_INTERPOLATIONS, type OpenCvInterpolation, resizeLikeOpenCv } from './opencv-resize.js';

interface Case {
  image: number[][];
  height: number;
  width: number;
  results: Record<OpenCvInterpolation, Nested>;
}

for (const { image, height, width, results } of readGolden<{ cases: Case[] }>('augment/opencv_resize.json').cases) {
  for (const interpolation of OPENCV_INTERPOLATIONS) {
    test(`${image.length} x ${image[0]!.length} to ${height} x ${width}, ${interpolation}: OpenCV within a level`, () => {
      scope(() => {
        const resized = resizeLikeOpenCv(tensor(image).unsqueeze(0), height, width, interpolation);
        assertClose(resized.squeeze(0), results[interpolation], { relative: 0, absolute: 1.001 });
      });
    });
  }
}
