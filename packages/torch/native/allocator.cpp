// libtorch's CPU memory, counted and reused. A training step makes and frees the same large blocks again and again; given
// back to the system each time, every page of them costs a fault on its next use (a third of the time of a small 3D
// convolution network's step). So large blocks are kept for the next request of the same size.
#include "environment.h"

#include <c10/core/CPUAllocator.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <torch/csrc/api/include/torch/version.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace chronotope {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kLeastCached = 64 * 1024;
constexpr int kLeastMapped = 12 * 1024 * 1024;

// Every block begins with its size; tensors see what comes after. Small ones are never kept, and need no lock.
class Blocks {
 public:
  // Bytes for a tensor; null when there is no memory.
  void* take(size_t bytes) {
    void* block = bytes < kLeastCached ? allocate(bytes) : takeLarge(bytes);
    if (block == nullptr) {
      const std::lock_guard<std::mutex> lock(mutex_);
      shrinkCache(0);
      block = allocate(bytes);
    }
    if (block == nullptr) return nullptr;
    *static_cast<size_t*>(block) = bytes;
    live_ += bytes;
    return static_cast<char*>(block) + kAlignment;
  }

  void giveBack(void* data) {
    void* block = static_cast<char*>(data) - kAlignment;
    const size_t bytes = *static_cast<size_t*>(block);
    live_ -= bytes;
    if (bytes < kLeastCached) {
      std::free(block);
      return;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    cached_ += bytes;
    oldestFirst_.push_back(block);
    ofSize_[bytes].push_back(std::prev(oldestFirst_.end()));
  }

  MemoryUse use() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return {static_cast<int64_t>(live_.load()), static_cast<int64_t>(cached_)};
  }

 private:
  using Position = std::list<void*>::iterator;

  static void* allocate(size_t bytes) {
    void* block = nullptr;
    if (bytes > SIZE_MAX - kAlignment || posix_memalign(&block, kAlignment, bytes + kAlignment) != 0) return nullptr;
    return block;
  }

  void* takeLarge(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const size_t live = live_ + bytes;
    const size_t peak = std::max(peak_, live);
    void* block = reuse(bytes);
    if (block == nullptr) {
      shrinkCache(peak + peak / 16 - live);
      block = allocate(bytes);
    }
    if (block != nullptr) peak_ = peak;
    return block;
  }

  void* reuse(size_t bytes) {
    const auto found = ofSize_.find(bytes);
    if (found == ofSize_.end()) return nullptr;
    const Position newest = found->second.back();
    void* block = *newest;
    found->second.pop_back();
    if (found->second.empty()) ofSize_.erase(found);
    oldestFirst_.erase(newest);
    cached_ -= bytes;
    return block;
  }

  // Live and cached blocks together stay within 17/16 of the most that has ever been live.
  void shrinkCache(size_t limit) {
    while (cached_ > limit) {
      void* block = oldestFirst_.front();
      const size_t bytes = *static_cast<size_t*>(block);
      auto& positions = ofSize_[bytes];
      positions.erase(std::find(positions.begin(), positions.end(), oldestFirst_.begin()));
      if (positions.empty()) ofSize_.erase(bytes);
      oldestFirst_.pop_front();
      cached_ -= bytes;
      std::free(block);
    }
  }

  std::mutex mutex_;
  std::atomic<size_t> live_{0};
  size_t cached_ = 0;
  size_t peak_ = 0;
  std::list<void*> oldestFirst_;
  std::unordered_map<size_t, std::vector<Position>> ofSize_;
};

// One for the process, as libtorch's allocator is, and never destroyed: tensors may outlive every environment.
Blocks& blocks() {
  static Blocks* const shared = new Blocks();
  return *shared;
}

class Allocator final : public at::Allocator {
 public:
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
  at::DataPtr allocate(size_t bytes) override { return take(bytes); }
  void copy_data(void* to, const void* from, size_t count) const override { default_copy_data(to, from, count); }
#else
  at::DataPtr allocate(size_t bytes) const override { return take(bytes); }
#endif
  c10::DeleterFnPtr raw_deleter() const override { return &giveBack; }

 private:
  static at::DataPtr take(size_t bytes) {
    const at::Device cpu(at::DeviceType::CPU);
    void* data = bytes == 0 ? nullptr : blocks().take(bytes);
    if (bytes > 0 && data == nullptr) {
      throw Failure("memory", "out of memory: a tensor needs " + std::to_string(bytes) + " bytes");
    }
    return {data, data, &giveBack, cpu};
  }

  static void giveBack(void* data) {
    if (data != nullptr) blocks().giveBack(data);
  }
};

}  // namespace

MemoryUse cpuMemoryUse() { return blocks().use(); }

void installAllocator() {
  static std::once_flag once;
  std::call_once(once, [] {
    c10::SetCPUAllocator(new Allocator(), /*priority=*/1);
#ifdef __GLIBC__
    // Left alone, glibc takes ever larger blocks from its heap, where what is freed stays between what is not: a tenth
    // of the memory of a training. So large ones always have pages of their own, which go back when they are freed.
    mallopt(M_MMAP_THRESHOLD, kLeastMapped);
#endif
  });
}

}  // namespace chronotope
