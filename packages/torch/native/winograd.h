// Winograd's minimal filtering for convolutions with kernels of 3x3 in space (Lavin and Gray, CVPR 2016): a tile of
// m x m outputs costs (m + 2)^2 multiplications for each pair of channels and not 9 m^2. Taps in time are summed up as
// usual. The kernels know nothing of libtorch; they are compiled once for each instruction set.
#pragma once

#include <cstdint>

namespace chronotope {

// Channels come in blocks of this size; the numbers of input and output channels must be multiples.
constexpr int64_t kWinogradBlock = 32;
constexpr int64_t kMostWinogradTaps = 16;

struct WinogradShape {
  int64_t inChannels, outChannels;
  int64_t inT, inH, inW;
  int64_t outT, outH, outW;
  int64_t taps, strideT, paddingT, dilationT;  // in time
  int64_t paddingH, paddingW;
  int64_t tilesH, tilesW;  // of an output frame
  int64_t images;          // clips that are worked on together
  bool transposed;         // the weights are those of the convolution whose input gradient this is

  int64_t rows() const { return images * tilesH * tilesW; }  // of the matrices: the tiles of one frame of all clips
  int64_t inputFrame(int64_t outputFrame, int64_t tap) const {
    return outputFrame * strideT - paddingT + tap * dilationT;
  }
};

// Each function does the items [begin, end) of its work; what the items are stands beside it. Layouts, with f for one of
// the (m + 2)^2 points:
//   clips                            [images][channels][frames][H][W]
//   transformed clips                [f][frames][rows][channels]
//   weights                          [out][in][taps][3][3], if transposed [in][out][taps][3][3] and turned round
//   transformed weights              [f][out / panel][taps][in][panel]
//   sums of the weights' gradients   [f][taps][in][out]
struct WinogradKernels {
  int64_t points;  // (m + 2)^2
  int64_t tile;    // m
  // items: images x input frames x rows of tiles
  void (*transformInput)(const WinogradShape&, const float* x, float* transformed, int64_t begin, int64_t end);
  // items: images x output frames x rows of tiles
  void (*transformGradient)(const WinogradShape&, const float* gradient, float* transformed, int64_t begin,
                            int64_t end);
  void (*transformOutput)(const WinogradShape&, const float* transformed, float* y, int64_t begin, int64_t end);
  // items: blocks of output channels
  void (*transformWeight)(const WinogradShape&, const float* weight, float* transformed, int64_t begin, int64_t end);
  void (*finishWeightGradient)(const WinogradShape&, const float* sums, float* gradient, int64_t begin, int64_t end);
  // items: points x blocks of output channels
  void (*multiply)(const WinogradShape&, const float* x, const float* weight, float* y, int64_t begin, int64_t end);
  // items: points x taps x blocks of input channels
  void (*addWeightGradient)(const WinogradShape&, const float* x, const float* gradient, float* sums, int64_t begin,
                            int64_t end);
};

#if defined(__x86_64__)
namespace avx512 { const WinogradKernels& winogradKernels(int64_t tile); }
namespace avx2 { const WinogradKernels& winogradKernels(int64_t tile); }
#endif
namespace baseline { const WinogradKernels& winogradKernels(int64_t tile); }

}  // namespace chronotope
