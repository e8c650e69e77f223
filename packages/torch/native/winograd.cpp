// Operators of our own in libtorch's dispatcher: convolutions by Winograd's algorithm. Forward passes and input
// gradients are `winograd`, weight gradients `winograd_weight_gradient`. TypeScript records them for autograd.
#include "winograd.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>

namespace chronotope {
namespace {

// Clips are worked on together as long as what they are transformed to stays in the processor's cache.
constexpr int64_t kCachedBytes = 20 * 1000 * 1000;

const WinogradKernels& kernels(int64_t tile) {
  TORCH_CHECK(tile == 2 || tile == 4, "winograd: tiles are 2x2 or 4x4");
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return avx512::winogradKernels(tile);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::winogradKernels(tile);
#endif
  return baseline::winogradKernels(tile);
}

template <typename Function, typename... Arguments>
void inParallel(int64_t items, Function function, const WinogradShape& shape, Arguments... arguments) {
  at::parallel_for(0, items, 1,
                   [&](int64_t begin, int64_t end) { function(shape, arguments..., begin, end); });
}

// The shape of everything but the batch, which is `images`.
WinogradShape shapeOf(const at::Tensor& x, int64_t outChannels, int64_t taps, int64_t stride, at::IntArrayRef padding,
                      int64_t dilation, int64_t tile) {
  TORCH_CHECK(x.dim() == 5 && x.scalar_type() == at::kFloat && x.is_cpu(), "winograd: needs float32 [N, C, T, H, W]");
  TORCH_CHECK(padding.size() == 3 && stride > 0 && dilation > 0, "winograd: wrong stride, padding or dilation");
  TORCH_CHECK(*std::min_element(padding.begin(), padding.end()) >= 0, "winograd: negative padding");
  TORCH_CHECK(taps > 0 && taps <= kMostWinogradTaps, "winograd: too many taps in time");
  WinogradShape shape{};
  shape.inChannels = x.size(1), shape.outChannels = outChannels;
  TORCH_CHECK(shape.inChannels % kWinogradBlock == 0 && outChannels % kWinogradBlock == 0 && x.size(0) > 0,
              "winograd: needs multiples of ", kWinogradBlock, " channels");
  shape.inT = x.size(2), shape.inH = x.size(3), shape.inW = x.size(4);
  shape.taps = taps, shape.strideT = stride, shape.paddingT = padding[0], shape.dilationT = dilation;
  shape.paddingH = padding[1], shape.paddingW = padding[2];
  const int64_t reach = shape.inT + 2 * padding[0] - dilation * (taps - 1) - 1;
  shape.outT = reach / stride + 1;
  shape.outH = shape.inH + 2 * padding[1] - 2, shape.outW = shape.inW + 2 * padding[2] - 2;
  TORCH_CHECK(reach >= 0 && shape.outH > 0 && shape.outW > 0, "winograd: the kernel is larger than the input");
  shape.tilesH = (shape.outH + tile - 1) / tile, shape.tilesW = (shape.outW + tile - 1) / tile;
  return shape;
}

// Calls `work` with the shape and first clip of each part of the batch, and buffers for its transforms.
template <typename Work>
void inParts(WinogradShape shape, int64_t points, const at::Tensor& x, Work work) {
  const int64_t tiles = shape.tilesH * shape.tilesW;
  const int64_t inOne = points * shape.inT * tiles * shape.inChannels;
  const int64_t outOne = points * shape.outT * tiles * shape.outChannels;
  const int64_t fitting = kCachedBytes / (static_cast<int64_t>(sizeof(float)) * (inOne + outOne));
  const int64_t most = std::clamp<int64_t>(fitting, 1, x.size(0));
  const auto in = at::empty({most * inOne}, x.options()), out = at::empty({most * outOne}, x.options());
  for (int64_t first = 0; first < x.size(0); first += most) {
    shape.images = std::min(most, x.size(0) - first);
    work(shape, first, in.data_ptr<float>(), out.data_ptr<float>());
  }
}

int64_t elementsOfOne(const at::Tensor& batch) { return batch.numel() / batch.size(0); }

// x [N, in, T, H, W] with weights [out, in, taps, 3, 3], or [in, out, taps, 3, 3] and turned round if transposed.
at::Tensor winograd(const at::Tensor& input, const at::Tensor& weights, int64_t stride, at::IntArrayRef padding,
                    int64_t dilation, int64_t tile, bool transposed) {
  const auto& kernel = kernels(tile);
  const auto x = input.contiguous(), weight = weights.contiguous();
  TORCH_CHECK(weight.dim() == 5 && weight.scalar_type() == at::kFloat && weight.size(3) == 3 && weight.size(4) == 3 &&
                  x.dim() == 5 && weight.size(transposed ? 0 : 1) == x.size(1),
              "winograd: the weights do not fit the input");
  auto shape = shapeOf(x, weight.size(transposed ? 1 : 0), weight.size(2), stride, padding, dilation, tile);
  shape.transposed = transposed;
  const int64_t blocks = shape.outChannels / kWinogradBlock;
  auto y = at::empty({x.size(0), shape.outChannels, shape.outT, shape.outH, shape.outW}, x.options());
  auto points = at::empty({kernel.points, shape.taps, shape.inChannels, shape.outChannels}, x.options());
  inParallel(blocks, kernel.transformWeight, shape, weight.data_ptr<float>(), points.data_ptr<float>());
  inParts(shape, kernel.points, x, [&](const WinogradShape& part, int64_t first, float* in, float* out) {
    const int64_t rowsOfTiles = part.images * part.tilesH;
    inParallel(rowsOfTiles * part.inT, kernel.transformInput, part, x.data_ptr<float>() + first * elementsOfOne(x), in);
    inParallel(kernel.points * blocks, kernel.multiply, part, in, points.data_ptr<float>(), out);
    inParallel(rowsOfTiles * part.outT, kernel.transformOutput, part, out,
               y.data_ptr<float>() + first * elementsOfOne(y));
  });
  return y;
}

// The gradient of the weights [out, in, taps, 3, 3] from the input and the gradient of the output.
at::Tensor winogradWeightGradient(const at::Tensor& input, const at::Tensor& outputGradient, int64_t taps,
                                  int64_t stride, at::IntArrayRef padding, int64_t dilation, int64_t tile) {
  const auto& kernel = kernels(tile);
  const auto x = input.contiguous(), gradient = outputGradient.contiguous();
  TORCH_CHECK(gradient.dim() == 5 && gradient.scalar_type() == at::kFloat, "winograd: needs a gradient of float32");
  const auto shape = shapeOf(x, gradient.size(1), taps, stride, padding, dilation, tile);
  const std::vector<int64_t> expected{x.size(0), shape.outChannels, shape.outT, shape.outH, shape.outW};
  TORCH_CHECK(gradient.sizes() == at::IntArrayRef(expected), "winograd: the gradient has the wrong shape");
  auto sums = at::zeros({kernel.points, taps, shape.inChannels, shape.outChannels}, x.options());
  inParts(shape, kernel.points, x, [&](const WinogradShape& part, int64_t first, float* in, float* out) {
    const int64_t rowsOfTiles = part.images * part.tilesH;
    inParallel(rowsOfTiles * part.inT, kernel.transformInput, part, x.data_ptr<float>() + first * elementsOfOne(x), in);
    inParallel(rowsOfTiles * part.outT, kernel.transformGradient, part,
               gradient.data_ptr<float>() + first * elementsOfOne(gradient), out);
    inParallel(kernel.points * taps * (part.inChannels / kWinogradBlock), kernel.addWeightGradient, part, in, out,
               sums.data_ptr<float>());
  });
  auto weightGradient = at::empty({shape.outChannels, shape.inChannels, taps, 3, 3}, x.options());
  inParallel(shape.outChannels / kWinogradBlock, kernel.finishWeightGradient, shape, sums.data_ptr<float>(),
             weightGradient.data_ptr<float>());
  return weightGradient;
}

TORCH_LIBRARY(chronotope, library) {
  library.def("winograd(Tensor x, Tensor weight, int stride, int[3] padding, int dilation, int tile, bool transposed) "
              "-> Tensor");
  library.def("winograd_weight_gradient(Tensor x, Tensor gradient, int taps, int stride, int[3] padding, int dilation, "
              "int tile) -> Tensor");
}

TORCH_LIBRARY_IMPL(chronotope, CPU, library) {
  library.impl("winograd", &winograd);
  library.impl("winograd_weight_gradient", &winogradWeightGradient);
}

}  // namespace
}  // namespace chronotope
