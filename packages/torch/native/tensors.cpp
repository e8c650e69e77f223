// Handles: making tensors from JavaScript's data, reading them back, and letting them go.
#include "environment.h"

#include <ATen/Functions.h>
#include <torch/csrc/autograd/function.h>

#include <cstring>

namespace chronotope {
namespace {

Napi::Value wrap(const Napi::CallbackInfo& info, at::Tensor tensor) {
  const auto env = info.Env();
  if (!tensor.defined()) return env.Null();
  return Napi::Number::New(env, Environment::of(env).handles.add(std::move(tensor)));
}

template <typename Sizes>
Napi::Value toArray(Napi::Env env, const Sizes& sizes) {
  auto array = Napi::Array::New(env, sizes.size());
  for (uint32_t i = 0; i < sizes.size(); i++) array.Set(i, static_cast<double>(sizes[i]));
  return array;
}

// fromData(typed array, shape, dtype): a copy
Napi::Value fromData(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray()) throw Failure("argument", "expected a typed array");
  const auto source = info[0].As<Napi::TypedArray>();
  const auto tensor = at::empty(sizesArgument(info, 1), at::TensorOptions(dtypeOf(stringArgument(info, 2))));
  if (source.ByteLength() != tensor.nbytes()) {
    throw Failure("argument", "the data has " + std::to_string(source.ByteLength()) + " bytes, but " +
                                  describe(tensor) + " needs " + std::to_string(tensor.nbytes()));
  }
  if (tensor.nbytes() > 0) {
    const auto* bytes = static_cast<const char*>(source.ArrayBuffer().Data()) + source.ByteOffset();
    std::memcpy(tensor.data_ptr(), bytes, tensor.nbytes());
  }
  return wrap(info, tensor);
}

// toData(tensor) => an ArrayBuffer with the elements in row-major order
Napi::Value toData(const Napi::CallbackInfo& info) {
  const auto tensor = tensorArgument(info, 0).detach().to(at::kCPU).contiguous();
  auto buffer = Napi::ArrayBuffer::New(info.Env(), tensor.nbytes());
  if (tensor.nbytes() > 0) std::memcpy(buffer.Data(), tensor.data_ptr(), tensor.nbytes());
  return buffer;
}

Napi::Value item(const Napi::CallbackInfo& info) {
  const auto& tensor = tensorArgument(info, 0);
  if (tensor.numel() != 1) {
    throw Failure("argument", "item() needs a tensor with one element, not " + describe(tensor));
  }
  const at::Scalar value = tensor.item();
  if (value.isBoolean()) return Napi::Number::New(info.Env(), value.toBool() ? 1 : 0);
  return Napi::Number::New(info.Env(), value.toDouble());
}

Napi::Value shape(const Napi::CallbackInfo& info) { return toArray(info.Env(), tensorArgument(info, 0).sizes()); }

Napi::Value strides(const Napi::CallbackInfo& info) { return toArray(info.Env(), tensorArgument(info, 0).strides()); }

Napi::Value dtype(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), dtypeName(tensorArgument(info, 0).scalar_type()));
}

Napi::Value device(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), tensorArgument(info, 0).device().str());
}

Napi::Value isContiguous(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), tensorArgument(info, 0).is_contiguous());
}

Napi::Value requiresGrad(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), tensorArgument(info, 0).requires_grad());
}

Napi::Value setRequiresGrad(const Napi::CallbackInfo& info) {
  tensorArgument(info, 0).requires_grad_(boolArgument(info, 1));
  return info.Env().Undefined();
}

Napi::Value isLeaf(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), tensorArgument(info, 0).is_leaf());
}

// The recorded operator that made the tensor, such as AddBackward0, or null.
Napi::Value gradFunctionName(const Napi::CallbackInfo& info) {
  const auto& node = tensorArgument(info, 0).grad_fn();
  if (node == nullptr) return info.Env().Null();
  return Napi::String::New(info.Env(), node->name());
}

Napi::Value gradOf(const Napi::CallbackInfo& info) { return wrap(info, tensorArgument(info, 0).grad()); }

Napi::Value setGrad(const Napi::CallbackInfo& info) {
  tensorArgument(info, 0).mutable_grad() = info[1].IsNull() ? at::Tensor() : tensorArgument(info, 1);
  return info.Env().Undefined();
}

// A second handle of the same tensor.
Napi::Value alias(const Napi::CallbackInfo& info) { return wrap(info, tensorArgument(info, 0)); }

void settleReleasedBytes(Napi::Env env, Environment& state) {
  const int64_t bytes = state.handles.takeReleasedBytes();
  if (bytes != 0) Napi::MemoryManagement::AdjustExternalMemory(env, -bytes);
}

// release(handle | handles); a handle that names nothing any more is passed over
Napi::Value release(const Napi::CallbackInfo& info) {
  auto& state = Environment::of(info.Env());
  if (info[0].IsArray()) {
    const napi_env env = info.Env();
    uint32_t length = 0;
    napi_get_array_length(env, info[0], &length);
    for (uint32_t i = 0; i < length; i++) {
      napi_value element;
      double handle;
      if (napi_get_element(env, info[0], i, &element) != napi_ok) continue;
      if (napi_get_value_double(env, element, &handle) == napi_ok) state.handles.release(handle);
    }
  } else {
    state.handles.release(handleArgument(info, 0));
  }
  settleReleasedBytes(info.Env(), state);
  return info.Env().Undefined();
}

// The garbage collector is told only of tensors that it can free, that is, of those that no scope owns.
Napi::Value reportToCollector(const Napi::CallbackInfo& info) {
  const int64_t bytes = Environment::of(info.Env()).handles.startReporting(handleArgument(info, 0));
  if (bytes != 0) Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes);
  return info.Env().Undefined();
}

}  // namespace

void defineTensors(Napi::Object exports) {
  define<fromData>(exports, "fromData");
  define<toData>(exports, "toData");
  define<item>(exports, "item");
  define<shape>(exports, "shape");
  define<strides>(exports, "strides");
  define<dtype>(exports, "dtype");
  define<device>(exports, "device");
  define<isContiguous>(exports, "isContiguous");
  define<requiresGrad>(exports, "requiresGrad");
  define<setRequiresGrad>(exports, "setRequiresGrad");
  define<isLeaf>(exports, "isLeaf");
  define<gradFunctionName>(exports, "gradFunctionName");
  define<gradOf>(exports, "gradOf");
  define<setGrad>(exports, "setGrad");
  define<alias>(exports, "alias");
  define<release>(exports, "release");
  define<reportToCollector>(exports, "reportToCollector");
}

}  // namespace chronotope
