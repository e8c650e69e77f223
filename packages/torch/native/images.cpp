// Operators of our own in libtorch's dispatcher: pictures from bytes to planes of another size, and hue. For processors.
#include "images.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

namespace chronotope {
namespace {

const ImageKernels& kernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return avx512::imageKernels();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::imageKernels();
#endif
  return baseline::imageKernels();
}

// The stretch of each row of a matrix [outputs, inputs] that is not 0.
std::vector<Taps> tapsOf(const float* matrix, int64_t outputs, int64_t inputs) {
  std::vector<Taps> taps(outputs);
  for (int64_t i = 0; i < outputs; i++) {
    const float* row = matrix + i * inputs;
    int64_t first = 0, end = inputs;
    while (first < end && row[first] == 0.f) first++;
    while (end > first && row[end - 1] == 0.f) end--;
    taps[i] = {first, end - first, row + first};
  }
  return taps;
}

// Source columns that any output pixel takes something from: (first, how many).
std::pair<int64_t, int64_t> spanOf(const std::vector<Taps>& taps, int64_t inputs) {
  int64_t first = inputs, end = 0;
  for (const auto& one : taps) {
    if (one.count == 0) continue;
    first = std::min(first, one.first), end = std::max(end, one.first + one.count);
  }
  return end == 0 ? std::pair<int64_t, int64_t>{0, 0} : std::pair<int64_t, int64_t>{first, end - first};
}

// frames uint8 [N, T, H, W, 3], rows [N, h, H], columns [N, w, W], output [N, 3, T, h, w].
void resampleFrames(const at::Tensor& pictures, const at::Tensor& rowMatrices, const at::Tensor& columnMatrices,
                    at::Tensor& output) {
  TORCH_CHECK(pictures.dim() == 5 && pictures.size(4) == 3 && pictures.scalar_type() == at::kByte,
              "resample_frames: needs uint8 frames [N, T, H, W, 3]");
  const auto frames = pictures.contiguous(), rows = rowMatrices.contiguous(), columns = columnMatrices.contiguous();
  const int64_t n = frames.size(0), length = frames.size(1), height = frames.size(2), width = frames.size(3);
  TORCH_CHECK(rows.dim() == 3 && columns.dim() == 3 && rows.scalar_type() == at::kFloat &&
                  columns.scalar_type() == at::kFloat && rows.size(0) == n && columns.size(0) == n &&
                  rows.size(2) == height && columns.size(2) == width,
              "resample_frames: needs float32 matrices [N, h, H] and [N, w, W]");
  const int64_t outHeight = rows.size(1), outWidth = columns.size(1);
  TORCH_CHECK(output.is_contiguous() && output.scalar_type() == at::kFloat &&
                  output.sizes() == at::IntArrayRef({n, 3, length, outHeight, outWidth}),
              "resample_frames: needs a contiguous float32 output [N, 3, T, h, w]");
  const int64_t picture = outHeight * outWidth;
  const auto& kernel = kernels();
  for (int64_t clip = 0; clip < n; clip++) {
    const auto down = tapsOf(rows.data_ptr<float>() + clip * outHeight * height, outHeight, height);
    const auto across = tapsOf(columns.data_ptr<float>() + clip * outWidth * width, outWidth, width);
    const auto span = spanOf(across, width);
    const Resampling shape{width,       outHeight,     outWidth,        span.first, span.second,
                           down.data(), across.data(), length * picture};
    const uint8_t* from = frames.data_ptr<uint8_t>() + clip * length * height * width * 3;
    float* to = output.data_ptr<float>() + clip * 3 * length * picture;
    at::parallel_for(0, length, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> line(3 * span.second + 1);
      for (int64_t t = begin; t < end; t++) {
        kernel.resample(shape, from + t * height * width * 3, to + t * picture, line.data());
      }
    });
  }
}

// clips [N, 3, ...] in place, each by a fraction of the colour circle, shifts [N].
void turnHue(at::Tensor& clips, const at::Tensor& shifts) {
  TORCH_CHECK(clips.dim() >= 2 && clips.size(1) == 3 && clips.scalar_type() == at::kFloat && clips.is_contiguous(),
              "turn_hue_: needs contiguous float32 clips [N, 3, ...]");
  const auto turns = shifts.contiguous();
  TORCH_CHECK(turns.scalar_type() == at::kFloat && turns.numel() == clips.size(0), "turn_hue_: needs a shift a clip");
  if (clips.numel() == 0) return;
  const int64_t plane = clips.numel() / clips.size(0) / 3;
  const auto& kernel = kernels();
  constexpr int64_t kPixelsATime = 1 << 14;
  for (int64_t clip = 0; clip < clips.size(0); clip++) {
    const float sixths = 6.f * turns.data_ptr<float>()[clip];
    float* red = clips.data_ptr<float>() + clip * 3 * plane;
    at::parallel_for(0, plane, kPixelsATime, [&](int64_t begin, int64_t end) {
      kernel.turnHue(red + begin, plane, end - begin, sixths);
    });
  }
}

TORCH_LIBRARY_FRAGMENT(chronotope, library) {
  library.def("resample_frames(Tensor frames, Tensor rows, Tensor columns, Tensor(a!) output) -> ()");
  library.def("turn_hue_(Tensor(a!) clips, Tensor shifts) -> ()");
}

TORCH_LIBRARY_IMPL(chronotope, CPU, library) {
  library.impl("resample_frames", &resampleFrames);
  library.impl("turn_hue_", &turnHue);
}

}  // namespace
}  // namespace chronotope
