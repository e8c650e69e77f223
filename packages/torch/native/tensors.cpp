// Handles: making tensors from JavaScript's data, reading them back, and letting them go.
#include "environment.h"

#include <ATen/Functions.h>
#include <ATen/ops/from_blob.h>
#include <torch/csrc/autograd/function.h>

#include <algorithm>
#include <cstring>

namespace chronotope {
namespace {

template <typename Sizes>
Napi::Value toArray(Napi::Env env, const Sizes& sizes) {
  auto array = Napi::Array::New(env, sizes.size());
  for (uint32_t i = 0; i < sizes.size(); i++) array.Set(i, static_cast<double>(sizes[i]));
  return array;
}

struct Bytes {
  void* data;
  size_t count;
};

Bytes bytesArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsTypedArray()) throw Failure("argument", "expected a typed array");
  void* data = nullptr;
  napi_get_typedarray_info(info.Env(), info[index], nullptr, nullptr, &data, nullptr, nullptr);
  return {data, info[index].As<Napi::TypedArray>().ByteLength()};
}

// fromData(typed array, shape, dtype): a copy
at::Tensor fromData(const Napi::CallbackInfo& info) {
  const auto source = bytesArgument(info, 0);
  const auto tensor = at::empty(sizesArgument(info, 1), at::TensorOptions(dtypeOf(stringArgument(info, 2))));
  if (source.count != tensor.nbytes()) {
    throw Failure("argument", std::to_string(source.count) + " bytes given, but the shape and dtype need " +
                                  std::to_string(tensor.nbytes()));
  }
  if (source.count > 0) std::memcpy(tensor.data_ptr(), source.data, source.count);
  return tensor;
}

// fromBuffer(typed array, shape, dtype, anchor): a tensor in the array's own memory
at::Tensor fromBuffer(const Napi::CallbackInfo& info) {
  const auto anchor = anchorArgument(info, 3);
  const at::TensorOptions options(dtypeOf(stringArgument(info, 2)));
  return at::from_blob(bytesArgument(info, 0).data, sizesArgument(info, 1), [anchor](void*) {}, options);
}

// sharedData(tensor) => an ArrayBuffer over the tensor's own memory, which holds that memory as long as it lives
Napi::Value sharedData(const Napi::CallbackInfo& info) {
  auto* tensor = new at::Tensor(tensorArgument(info, 0));
  return Napi::ArrayBuffer::New(info.Env(), tensor->data_ptr(), tensor->nbytes(),
                                [](Napi::Env, void*, at::Tensor* last) { delete last; }, tensor);
}

// toData(tensor) => an ArrayBuffer with the elements in row-major order
Napi::Value toData(const Napi::CallbackInfo& info) {
  const auto tensor = tensorArgument(info, 0).detach().to(at::kCPU).contiguous();
  auto buffer = Napi::ArrayBuffer::New(info.Env(), tensor.nbytes());
  if (tensor.nbytes() > 0) std::memcpy(buffer.Data(), tensor.data_ptr(), tensor.nbytes());
  return buffer;
}

Napi::Value shape(const Napi::CallbackInfo& info) { return toArray(info.Env(), tensorArgument(info, 0).sizes()); }

Napi::Value strides(const Napi::CallbackInfo& info) { return toArray(info.Env(), tensorArgument(info, 0).strides()); }

std::string dtype(const Napi::CallbackInfo& info) { return dtypeName(tensorArgument(info, 0).scalar_type()); }

std::string device(const Napi::CallbackInfo& info) { return tensorArgument(info, 0).device().str(); }

bool requiresGrad(const Napi::CallbackInfo& info) { return tensorArgument(info, 0).requires_grad(); }

// The recorded operator that made the tensor, such as AddBackward0, or nothing.
std::string gradFunctionName(const Napi::CallbackInfo& info) {
  const auto& node = tensorArgument(info, 0).grad_fn();
  return node == nullptr ? "" : node->name();
}

at::Tensor gradOf(const Napi::CallbackInfo& info) { return tensorArgument(info, 0).grad(); }

void setGrad(const Napi::CallbackInfo& info) {
  tensorArgument(info, 0).mutable_grad() = info[1].IsNull() ? at::Tensor() : tensorArgument(info, 1);
}

// A second handle of the same tensor.
at::Tensor alias(const Napi::CallbackInfo& info) { return tensorArgument(info, 0); }

void settle(const Napi::CallbackInfo& info) {
  auto& state = Environment::of(info.Env());
  const int64_t bytes = state.handles.takeUnreportedBytes();
  if (bytes != 0) Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes);
  state.settleAnchors();
}

// release(handle), release(Float64Array, count of handles in it); one that names nothing any more is passed over
void release(const Napi::CallbackInfo& info) {
  auto& state = Environment::of(info.Env());
  if (info[0].IsTypedArray()) {
    const auto list = info[0].As<Napi::Float64Array>();
    const auto count = std::min(list.ElementLength(), static_cast<size_t>(intArgument(info, 1)));
    for (size_t i = 0; i < count; i++) state.handles.release(list[i]);
  } else {
    state.handles.release(handleArgument(info, 0));
  }
  settle(info);
}

// The garbage collector is told only of tensors that it can free, that is, of those that no scope owns.
void reportToCollector(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).handles.startReporting(handleArgument(info, 0));
  settle(info);
}

// A tensor got other memory (set_data).
void storageReplaced(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).handles.reportAgain(handleArgument(info, 0));
  settle(info);
}

}  // namespace

void defineTensors(Napi::Object exports) {
  define<fromData>(exports, "fromData");
  define<fromBuffer>(exports, "fromBuffer");
  define<sharedData>(exports, "sharedData");
  define<toData>(exports, "toData");
  define<shape>(exports, "shape");
  define<strides>(exports, "strides");
  define<dtype>(exports, "dtype");
  define<device>(exports, "device");
  define<requiresGrad>(exports, "requiresGrad");
  define<gradFunctionName>(exports, "gradFunctionName");
  define<gradOf>(exports, "gradOf");
  define<setGrad>(exports, "setGrad");
  define<alias>(exports, "alias");
  define<release>(exports, "release");
  define<reportToCollector>(exports, "reportToCollector");
  define<storageReplaced>(exports, "storageReplaced");
}

}  // namespace chronotope
