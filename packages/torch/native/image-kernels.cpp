#include "images.h"
#include "instruction-set.h"

namespace chronotope {
namespace CHRONOTOPE_ISA {
namespace {

typedef int32_t Whole __attribute__((vector_size(kLanes * sizeof(int32_t))));
typedef uint8_t Bytes __attribute__((vector_size(kLanes)));
typedef uint8_t LooseBytes __attribute__((vector_size(kLanes), aligned(1), may_alias));
// One pixel, and the red of the next.
typedef float Pixel __attribute__((vector_size(16)));
typedef float LoosePixel __attribute__((vector_size(16), aligned(4), may_alias));

inline Vector loadBytes(const uint8_t* from) {
  const Bytes bytes = *reinterpret_cast<const LooseBytes*>(from);
  return __builtin_convertvector(__builtin_convertvector(bytes, Whole), Vector);
}

// line = weight * source, or line += weight * source.
template <bool Adds>
inline void mixRow(const uint8_t* source, float weight, float* line, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const Vector value = weight * loadBytes(source + i);
    store(line + i, Adds ? load(line + i) + value : value);
  }
  for (; i < count; i++) line[i] = (Adds ? line[i] : 0.f) + weight * source[i];
}

// Divided, not multiplied by 1 / 255: so pixels that are only copied are what they are everywhere else.
inline void toUnitRange(float* line, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(line + i, load(line + i) / 255.f);
  for (; i < count; i++) line[i] /= 255.f;
}

void resample(const Resampling& shape, const uint8_t* picture, float* output, float* line) {
  const int64_t values = 3 * shape.columns;
  const uint8_t* source = picture + 3 * shape.firstColumn;
  line[values] = 0.f;
  for (int64_t y = 0; y < shape.height; y++) {
    const Taps& down = shape.down[y];
    if (down.count == 0) {
      for (int64_t i = 0; i < values; i++) line[i] = 0.f;
    }
    for (int64_t k = 0; k < down.count; k++) {
      const uint8_t* row = source + 3 * shape.sourceWidth * (down.first + k);
      if (k == 0) mixRow<false>(row, down.weights[k], line, values);
      else mixRow<true>(row, down.weights[k], line, values);
    }
    toUnitRange(line, values);
    float* red = output + y * shape.width;
    float* green = red + shape.plane;
    float* blue = green + shape.plane;
    for (int64_t x = 0; x < shape.width; x++) {
      const Taps& across = shape.across[x];
      const float* from = line + 3 * (across.first - shape.firstColumn);
      Pixel sum{};
      for (int64_t k = 0; k < across.count; k++) {
        sum += across.weights[k] * *reinterpret_cast<const LoosePixel*>(from + 3 * k);
      }
      red[x] = sum[0], green[x] = sum[1], blue[x] = sum[2];
    }
  }
}

inline Vector smaller(Vector a, Vector b) { return a < b ? a : b; }
inline Vector larger(Vector a, Vector b) { return a > b ? a : b; }
inline Vector magnitude(Vector a) { return larger(a, -a); }

inline Vector roundedDown(Vector a) {
  const Vector cut = __builtin_convertvector(__builtin_convertvector(a, Whole), Vector);
  return cut > a ? cut - 1.f : cut;
}

// Value and saturation of HSV stay. With the hue h in sixths of the circle, a channel is the smallest value plus chroma
// times clamp(s, 0, 1), where s = |h - 3| - 1 for red, 2 - |h - 2| for green and 2 - |h - 4| for blue.
inline void turnVector(Vector& red, Vector& green, Vector& blue, float sixths) {
  const Vector zero{}, one = zero + 1.f;
  const Vector most = larger(larger(red, green), blue), least = smaller(smaller(red, green), blue);
  const Vector chroma = most - least;
  const Vector distance = most == red     ? green - blue
                          : most == green ? blue - red + 2.f * chroma
                                          : red - green + 4.f * chroma;
  // Gray pixels have no hue; any will do, because their chroma is 0.
  Vector hue = distance / larger(chroma, zero + 1e-12f) + sixths;
  hue -= 6.f * roundedDown(hue / 6.f);
  red = least + chroma * smaller(larger(magnitude(hue - 3.f) - 1.f, zero), one);
  green = least + chroma * smaller(larger(2.f - magnitude(hue - 2.f), zero), one);
  blue = least + chroma * smaller(larger(2.f - magnitude(hue - 4.f), zero), one);
}

void turnHue(float* red, int64_t plane, int64_t count, float sixths) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    float* at = red + i;
    Vector r = load(at), g = load(at + plane), b = load(at + 2 * plane);
    turnVector(r, g, b, sixths);
    store(at, r), store(at + plane, g), store(at + 2 * plane, b);
  }
  for (; i < count; i++) {
    float* at = red + i;
    Vector r = Vector{} + at[0], g = Vector{} + at[plane], b = Vector{} + at[2 * plane];
    turnVector(r, g, b, sixths);
    at[0] = r[0], at[plane] = g[0], at[2 * plane] = b[0];
  }
}

}  // namespace

const ImageKernels& imageKernels() {
  static const ImageKernels kernels{resample, turnHue};
  return kernels;
}

}  // namespace CHRONOTOPE_ISA
}  // namespace chronotope
