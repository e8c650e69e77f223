#include "instruction-set.h"
#include "winograd.h"

#include <utility>

namespace chronotope {
namespace CHRONOTOPE_ISA {
namespace {

constexpr int kBlock = static_cast<int>(kWinogradBlock);

// ---- the transforms: out = M in M^T, zeros skipped

template <int Rows, int Columns>
struct Matrix {
  static constexpr int rows = Rows;
  static constexpr int columns = Columns;
  float at[Rows][Columns];
};

template <int Rows, int Columns>
constexpr Matrix<Columns, Rows> transposed(const Matrix<Rows, Columns>& m) {
  Matrix<Columns, Rows> result{};
  for (int i = 0; i < Rows; i++) {
    for (int j = 0; j < Columns; j++) result.at[j][i] = m.at[i][j];
  }
  return result;
}

template <int Tile>
struct Winograd;

template <>
struct Winograd<2> {
  static constexpr Matrix<4, 4> input{{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}};
  static constexpr Matrix<4, 3> weight{{{1, 0, 0}, {.5f, .5f, .5f}, {.5f, -.5f, .5f}, {0, 0, 1}}};
  static constexpr Matrix<2, 4> output{{{1, 1, 1, 0}, {0, 1, -1, -1}}};
  static constexpr auto gradient = transposed(output);
  static constexpr auto weightGradient = transposed(weight);
};

template <>
struct Winograd<4> {
  static constexpr Matrix<6, 6> input{{{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                                       {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}}};
  static constexpr Matrix<6, 3> weight{{{1.f / 4, 0, 0}, {-1.f / 6, -1.f / 6, -1.f / 6}, {-1.f / 6, 1.f / 6, -1.f / 6},
                                        {1.f / 24, 1.f / 12, 1.f / 6}, {1.f / 24, -1.f / 12, 1.f / 6}, {0, 0, 1}}};
  static constexpr Matrix<4, 6> output{{{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0},
                                        {0, 1, -1, 8, -8, 1}}};
  static constexpr auto gradient = transposed(output);
  static constexpr auto weightGradient = transposed(weight);
};

template <const auto& M, int I, int Stride, int J = 0>
inline void accumulate(Vector& sum, const Vector* in) {
  if constexpr (J < M.columns) {
    if constexpr (M.at[I][J] == 1) sum += in[J * Stride];
    else if constexpr (M.at[I][J] == -1) sum -= in[J * Stride];
    else if constexpr (M.at[I][J] != 0) sum += in[J * Stride] * M.at[I][J];
    accumulate<M, I, Stride, J + 1>(sum, in);
  }
}

template <const auto& M, int InStride, int OutStride, int... I>
inline void multiplyColumn(const Vector* in, Vector* out, std::integer_sequence<int, I...>) {
  ((out[I * OutStride] = Vector{}, accumulate<M, I, InStride>(out[I * OutStride], in)), ...);
}

// in [columns][columns], out [rows][rows]
template <const auto& M>
inline void sandwich(const Vector* in, Vector* out) {
  constexpr int rows = M.rows, columns = M.columns;
  using Rows = std::make_integer_sequence<int, rows>;
  Vector half[rows * columns];
  for (int j = 0; j < columns; j++) multiplyColumn<M, columns, columns>(in + j, half + j, Rows{});
  for (int i = 0; i < rows; i++) multiplyColumn<M, 1, 1>(half + i * columns, out + i * rows, Rows{});
}

// ---- between frames and transformed tiles

// One row of tiles of one frame of one clip.
struct TileRow {
  int64_t image, frame, index;
  TileRow(int64_t item, int64_t frames, int64_t tilesH)
      : image(item / (frames * tilesH)), frame(item / tilesH % frames), index(item % tilesH) {}
};

// Copies a strip of a frame, channels last, with zeros outside the frame.
inline void gatherStrip(const float* frame, int64_t channelStride, int64_t height, int64_t width, int64_t top,
                        int64_t left, int64_t stripHeight, int64_t stripWidth, float* strip) {
  for (int64_t r = 0; r < stripHeight; r++) {
    const int64_t row = top + r;
    float* const out = strip + r * stripWidth * kBlock;
    const int64_t from = row < 0 || row >= height ? stripWidth : (left < 0 ? -left : 0);
    const int64_t inside = width - left < stripWidth ? width - left : stripWidth;
    const int64_t to = from > inside ? from : inside;
    for (int64_t i = 0; i < from * kBlock; i++) out[i] = 0;
    for (int64_t i = to * kBlock; i < stripWidth * kBlock; i++) out[i] = 0;
    for (int c = 0; c < kBlock; c++) {
      const float* const in = frame + c * channelStride + row * width + left;
      for (int64_t x = from; x < to; x++) out[x * kBlock + c] = in[x];
    }
  }
}

// Patches of a frame, `Step` apart, to points.
template <const auto& M, int Step>
inline void transformRow(const WinogradShape& shape, const float* clip, int64_t channels, int64_t frames,
                         int64_t height, int64_t width, int64_t paddingH, int64_t paddingW, const TileRow& at,
                         float* strip, float* transformed) {
  constexpr int patch = M.columns, points = M.rows * M.rows;
  const int64_t stripWidth = (shape.tilesW - 1) * Step + patch;
  const int64_t channelStride = frames * height * width;
  const int64_t row = (at.image * shape.tilesH + at.index) * shape.tilesW;
  const int64_t pointStride = frames * shape.rows() * channels;
  for (int64_t block = 0; block < channels; block += kBlock) {
    const float* const frame = clip + ((at.image * channels + block) * frames + at.frame) * height * width;
    gatherStrip(frame, channelStride, height, width, at.index * Step - paddingH, -paddingW, patch, stripWidth, strip);
    for (int64_t tile = 0; tile < shape.tilesW; tile++) {
      float* const out = transformed + (at.frame * shape.rows() + row + tile) * channels + block;
      for (int lane = 0; lane < kBlock; lane += kLanes) {
        Vector in[patch * patch], result[points];
        for (int i = 0; i < patch; i++) {
          for (int j = 0; j < patch; j++) {
            in[i * patch + j] = load(strip + (i * stripWidth + tile * Step + j) * kBlock + lane);
          }
        }
        sandwich<M>(in, result);
        for (int f = 0; f < points; f++) store(out + f * pointStride + lane, result[f]);
      }
    }
  }
}

template <int Tile>
void transformInput(const WinogradShape& s, const float* x, float* transformed, int64_t begin, int64_t end) {
  float* const strip = new float[(Tile + 2) * (s.tilesW * Tile + 2) * kBlock];
  for (int64_t item = begin; item < end; item++) {
    transformRow<Winograd<Tile>::input, Tile>(s, x, s.inChannels, s.inT, s.inH, s.inW, s.paddingH, s.paddingW,
                                              TileRow(item, s.inT, s.tilesH), strip, transformed);
  }
  delete[] strip;
}

template <int Tile>
void transformGradient(const WinogradShape& s, const float* gradient, float* transformed, int64_t begin, int64_t end) {
  float* const strip = new float[Tile * s.tilesW * Tile * kBlock];
  for (int64_t item = begin; item < end; item++) {
    transformRow<Winograd<Tile>::gradient, Tile>(s, gradient, s.outChannels, s.outT, s.outH, s.outW, 0, 0,
                                                 TileRow(item, s.outT, s.tilesH), strip, transformed);
  }
  delete[] strip;
}

template <int Tile>
void transformOutput(const WinogradShape& s, const float* transformed, float* y, int64_t begin, int64_t end) {
  constexpr int points = (Tile + 2) * (Tile + 2);
  const int64_t stripWidth = s.tilesW * Tile;
  const int64_t pointStride = s.outT * s.rows() * s.outChannels;
  float* const strip = new float[Tile * stripWidth * kBlock];
  for (int64_t item = begin; item < end; item++) {
    const TileRow at(item, s.outT, s.tilesH);
    const int64_t row = (at.image * s.tilesH + at.index) * s.tilesW;
    const int64_t height = s.outH - at.index * Tile < Tile ? s.outH - at.index * Tile : Tile;
    for (int64_t block = 0; block < s.outChannels; block += kBlock) {
      for (int64_t tile = 0; tile < s.tilesW; tile++) {
        const float* const from = transformed + (at.frame * s.rows() + row + tile) * s.outChannels + block;
        for (int lane = 0; lane < kBlock; lane += kLanes) {
          Vector in[points], result[Tile * Tile];
          for (int f = 0; f < points; f++) in[f] = load(from + f * pointStride + lane);
          sandwich<Winograd<Tile>::output>(in, result);
          for (int i = 0; i < Tile; i++) {
            for (int j = 0; j < Tile; j++) {
              store(strip + (i * stripWidth + tile * Tile + j) * kBlock + lane, result[i * Tile + j]);
            }
          }
        }
      }
      for (int c = 0; c < kBlock; c++) {
        float* const frame =
            y + (((at.image * s.outChannels + block + c) * s.outT + at.frame) * s.outH + at.index * Tile) * s.outW;
        for (int64_t i = 0; i < height; i++) {
          for (int64_t j = 0; j < s.outW; j++) frame[i * s.outW + j] = strip[(i * stripWidth + j) * kBlock + c];
        }
      }
    }
  }
  delete[] strip;
}

// ---- weights

constexpr int kPanel = 2 * kLanes;

template <int Tile>
void transformWeight(const WinogradShape& s, const float* weight, float* transformed, int64_t begin, int64_t end) {
  constexpr int points = (Tile + 2) * (Tile + 2);
  const int64_t panels = s.outChannels / kPanel;
  const int64_t outStride = s.taps * 9 * (s.transposed ? 1 : s.inChannels);
  const int64_t inStride = s.taps * 9 * (s.transposed ? s.outChannels : 1);
  for (int64_t block = begin; block < end; block++) {
    for (int64_t c = 0; c < s.inChannels; c++) {
      for (int64_t tap = 0; tap < s.taps; tap++) {
        float gathered[9 * kBlock];
        const float* const from = weight + block * kBlock * outStride + c * inStride;
        for (int k = 0; k < kBlock; k++) {
          for (int i = 0; i < 9; i++) {
            const int64_t at = s.transposed ? s.taps * 9 - 1 - tap * 9 - i : tap * 9 + i;
            gathered[i * kBlock + k] = from[k * outStride + at];
          }
        }
        for (int lane = 0; lane < kBlock; lane += kLanes) {
          Vector in[9], result[points];
          for (int i = 0; i < 9; i++) in[i] = load(gathered + i * kBlock + lane);
          sandwich<Winograd<Tile>::weight>(in, result);
          const int64_t channel = block * kBlock + lane;
          for (int f = 0; f < points; f++) {
            const int64_t panel = ((f * panels + channel / kPanel) * s.taps + tap) * s.inChannels + c;
            store(transformed + panel * kPanel + channel % kPanel, result[f]);
          }
        }
      }
    }
  }
}

template <int Tile>
void finishWeightGradient(const WinogradShape& s, const float* sums, float* gradient, int64_t begin, int64_t end) {
  constexpr int points = (Tile + 2) * (Tile + 2);
  const int64_t pointStride = s.taps * s.inChannels * s.outChannels;
  const int64_t outStride = s.inChannels * s.taps * 9;
  for (int64_t block = begin; block < end; block++) {
    for (int64_t c = 0; c < s.inChannels; c++) {
      for (int64_t tap = 0; tap < s.taps; tap++) {
        float gathered[9 * kBlock];
        const float* const from = sums + (tap * s.inChannels + c) * s.outChannels + block * kBlock;
        for (int lane = 0; lane < kBlock; lane += kLanes) {
          Vector in[points], result[9];
          for (int f = 0; f < points; f++) in[f] = load(from + f * pointStride + lane);
          sandwich<Winograd<Tile>::weightGradient>(in, result);
          for (int i = 0; i < 9; i++) store(gathered + i * kBlock + lane, result[i]);
        }
        float* const out = gradient + block * kBlock * outStride + (c * s.taps + tap) * 9;
        for (int k = 0; k < kBlock; k++) {
          for (int i = 0; i < 9; i++) out[k * outStride + i] = gathered[i * kBlock + k];
        }
      }
    }
  }
}

// ---- matrix products: accumulators in registers, two vectors wide

// Rows of y are the sums over taps and channels of rows of x, `rowStride` apart, times the panel of weights.
template <int Rows>
void multiplyRows(const float* const* taps, const float* const* panels, int count, int64_t channels, float* y,
                  int64_t yStride) {
  Vector sums[Rows][2] = {};
  for (int tap = 0; tap < count; tap++) {
    const float* x = taps[tap];
    const float* panel = panels[tap];
    for (int64_t c = 0; c < channels; c++, x++, panel += kPanel) {
      const Vector low = load(panel), high = load(panel + kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; r++) {
        const float value = x[r * channels];
        sums[r][0] += low * value;
        sums[r][1] += high * value;
      }
    }
  }
  for (int r = 0; r < Rows; r++) {
    store(y + r * yStride, sums[r][0]);
    store(y + r * yStride + kLanes, sums[r][1]);
  }
}

constexpr int kRows = kLanes == 16 ? 12 : 6;
using MultiplyRows = void (*)(const float* const*, const float* const*, int, int64_t, float*, int64_t);

template <int... R>
constexpr void fillTable(MultiplyRows* table, std::integer_sequence<int, R...>) {
  ((table[R + 1] = &multiplyRows<R + 1>), ...);
}

void multiply(const WinogradShape& s, const float* x, const float* weight, float* y, int64_t begin, int64_t end) {
  MultiplyRows table[kRows + 1];
  fillTable(table, std::make_integer_sequence<int, kRows>{});
  const int64_t rows = s.rows(), blocks = s.outChannels / kBlock, panels = s.outChannels / kPanel;
  for (int64_t item = begin * (panels / blocks); item < end * (panels / blocks); item++) {
    const int64_t f = item / panels, panel = item % panels;
    for (int64_t t = 0; t < s.outT; t++) {
      const float* frames[kMostWinogradTaps];
      const float* tapPanels[kMostWinogradTaps];
      int count = 0;
      for (int64_t tap = 0; tap < s.taps; tap++) {
        const int64_t frame = s.inputFrame(t, tap);
        if (frame < 0 || frame >= s.inT) continue;
        frames[count] = x + (f * s.inT + frame) * rows * s.inChannels;
        tapPanels[count++] = weight + (item * s.taps + tap) * s.inChannels * kPanel;
      }
      float* const out = y + (f * s.outT + t) * rows * s.outChannels + panel * kPanel;
      for (int64_t row = 0; row < rows; row += kRows) {
        const int64_t now = rows - row < kRows ? rows - row : kRows;
        table[now](frames, tapPanels, count, s.inChannels, out + row * s.outChannels, s.outChannels);
        for (int tap = 0; tap < count; tap++) frames[tap] += now * s.inChannels;
      }
    }
  }
}

constexpr int kColumns = kLanes == 16 ? 8 : 4;  // input channels at a time; divides a block

void addWeightGradient(const WinogradShape& s, const float* x, const float* gradient, float* sums, int64_t begin,
                       int64_t end) {
  const int64_t rows = s.rows(), blocks = s.inChannels / kBlock;
  for (int64_t item = begin; item < end; item++) {
    const int64_t f = item / (s.taps * blocks), tap = item / blocks % s.taps, block = item % blocks * kBlock;
    for (int64_t panel = 0; panel < s.outChannels; panel += kPanel) {
      for (int64_t c = block; c < block + kBlock; c += kColumns) {
        float* const out = sums + ((f * s.taps + tap) * s.inChannels + c) * s.outChannels + panel;
        Vector acc[kColumns][2];
        for (int i = 0; i < kColumns; i++) {
          acc[i][0] = load(out + i * s.outChannels);
          acc[i][1] = load(out + i * s.outChannels + kLanes);
        }
        for (int64_t t = 0; t < s.outT; t++) {
          const int64_t frame = s.inputFrame(t, tap);
          if (frame < 0 || frame >= s.inT) continue;
          const float* from = x + (f * s.inT + frame) * rows * s.inChannels + c;
          const float* by = gradient + (f * s.outT + t) * rows * s.outChannels + panel;
          for (int64_t row = 0; row < rows; row++, from += s.inChannels, by += s.outChannels) {
            const Vector low = load(by), high = load(by + kLanes);
#pragma GCC unroll 16
            for (int i = 0; i < kColumns; i++) {
              acc[i][0] += low * from[i];
              acc[i][1] += high * from[i];
            }
          }
        }
        for (int i = 0; i < kColumns; i++) {
          store(out + i * s.outChannels, acc[i][0]);
          store(out + i * s.outChannels + kLanes, acc[i][1]);
        }
      }
    }
  }
}

template <int Tile>
constexpr WinogradKernels kKernels{(Tile + 2) * (Tile + 2),
                                   Tile,
                                   &transformInput<Tile>,
                                   &transformGradient<Tile>,
                                   &transformOutput<Tile>,
                                   &transformWeight<Tile>,
                                   &finishWeightGradient<Tile>,
                                   &multiply,
                                   &addWeightGradient};

}  // namespace

const WinogradKernels& winogradKernels(int64_t tile) { return tile == 2 ? kKernels<2> : kKernels<4>; }

}  // namespace CHRONOTOPE_ISA
}  // namespace chronotope
