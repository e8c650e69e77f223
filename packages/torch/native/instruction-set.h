// For kernels that are compiled once for each instruction set, which names the namespace. Nothing in them may be shared
// between the sets: no function of the standard library that is not inlined away.
#pragma once

#include <cstdint>

#if defined(__AVX512F__)
#define CHRONOTOPE_ISA avx512
#define CHRONOTOPE_LANES 16
#elif defined(__AVX2__)
#define CHRONOTOPE_ISA avx2
#define CHRONOTOPE_LANES 8
#else
#define CHRONOTOPE_ISA baseline
#define CHRONOTOPE_LANES 4
#endif

namespace chronotope {
namespace CHRONOTOPE_ISA {
namespace {

constexpr int kLanes = CHRONOTOPE_LANES;
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));
typedef float LooseVector __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const LooseVector*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<LooseVector*>(to) = value; }

}  // namespace
}  // namespace CHRONOTOPE_ISA
}  // namespace chronotope
