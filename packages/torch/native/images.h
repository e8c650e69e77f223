// Passes over pictures for which libtorch has no fast operator of its own on a processor. The kernels know nothing of
// libtorch; they are compiled once for each instruction set.
#pragma once

#include <cstdint>

namespace chronotope {

// What one output pixel of an axis takes of the source: the pixels from `first` on, with these weights.
struct Taps {
  int64_t first, count;
  const float* weights;
};

struct Resampling {
  int64_t sourceWidth;
  int64_t height, width;               // of the output
  int64_t firstColumn, columns;        // of the source: those that count
  const Taps *down, *across;           // of each output row, of each output column
  int64_t plane;                       // values from one colour of the output to the next
};

struct ImageKernels {
  // One picture, uint8 [H, W, 3], to three planes of floats in [0, 1]. `line` has room for 3 * columns + 1 floats.
  void (*resample)(const Resampling&, const uint8_t* picture, float* output, float* line);
  // Turns the hue of `count` pixels by a number of sixths of the colour circle; the colours are `plane` values apart.
  void (*turnHue)(float* red, int64_t plane, int64_t count, float sixths);
};

#if defined(__x86_64__)
namespace avx512 { const ImageKernels& imageKernels(); }
namespace avx2 { const ImageKernels& imageKernels(); }
#endif
namespace baseline { const ImageKernels& imageKernels(); }

}  // namespace chronotope
