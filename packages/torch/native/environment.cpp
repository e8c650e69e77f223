#include "environment.h"

#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <new>

namespace chronotope {
namespace {

constexpr double kIndexRange = 67108864.0;  // 2^26
constexpr uint32_t kLastGeneration = (1u << 27) - 1;

struct DTypeName {
  at::ScalarType type;
  const char* name;
};

constexpr DTypeName kDTypes[] = {
    {at::ScalarType::Float, "float32"},           {at::ScalarType::Double, "float64"},
    {at::ScalarType::Half, "float16"},            {at::ScalarType::BFloat16, "bfloat16"},
    {at::ScalarType::Long, "int64"},              {at::ScalarType::Int, "int32"},
    {at::ScalarType::Short, "int16"},             {at::ScalarType::Char, "int8"},
    {at::ScalarType::Byte, "uint8"},              {at::ScalarType::Bool, "bool"},
    {at::ScalarType::ComplexFloat, "complex64"},  {at::ScalarType::ComplexDouble, "complex128"},
};

struct Reason {
  std::string code;
  std::string message;
};

// libtorch appends where the exception was raised and sometimes a stack; neither helps who calls from JavaScript.
std::string withoutBacktrace(std::string text) {
  for (const char* marker : {"\nException raised from", "\nFrames", "\nC++ CapturedTraceback"}) {
    const auto at = text.find(marker);
    if (at != std::string::npos) text.resize(at);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

Reason reasonInFlight() {
  try {
    throw;
  } catch (const Failure& failure) {
    return {failure.code, failure.message};
  } catch (const c10::Error& error) {
    return {"operator", withoutBacktrace(error.what_without_backtrace())};
  } catch (const std::bad_alloc&) {
    return {"memory", "out of memory"};
  } catch (const std::exception& error) {
    return {"operator", withoutBacktrace(error.what())};
  } catch (...) {
    return {"operator", "an unknown C++ exception"};
  }
}

}  // namespace

std::string messageInFlight() { return reasonInFlight().message; }

void rethrowAsTorchError(Napi::Env env) {
  try {
    throw;
  } catch (const Napi::Error&) {
    throw;  // already JavaScript's own exception
  } catch (...) {
  }
  const Reason reason = reasonInFlight();
  const auto& makeError = Environment::of(env).makeError;
  if (makeError.IsEmpty()) throw Napi::Error::New(env, reason.message);
  throw Napi::Error(env, makeError.Call({Napi::String::New(env, reason.code), Napi::String::New(env, reason.message)}));
}

int64_t Handles::find(double handle) const {
  if (!(handle >= kIndexRange) || handle != std::floor(handle)) return -1;
  const double generation = std::floor(handle / kIndexRange);
  const double index = handle - generation * kIndexRange;
  if (index >= static_cast<double>(slots_.size())) return -1;
  const Slot& slot = slots_[static_cast<size_t>(index)];
  if (static_cast<double>(slot.generation) != generation || !slot.tensor.defined()) return -1;
  return static_cast<int64_t>(index);
}

double Handles::add(at::Tensor tensor) {
  uint32_t index;
  if (free_.empty()) {
    if (slots_.size() >= static_cast<size_t>(kIndexRange)) throw Failure("memory", "too many live tensors");
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  slots_[index].tensor = std::move(tensor);
  live_++;
  return static_cast<double>(slots_[index].generation) * kIndexRange + index;
}

const at::Tensor& Handles::get(double handle) const {
  const auto index = find(handle);
  if (index < 0) throw Failure("disposed", "the tensor has been disposed, or the handle never named one");
  return slots_[static_cast<size_t>(index)].tensor;
}

void Handles::release(double handle) {
  const auto index = find(handle);
  if (index < 0) return;
  Slot& slot = slots_[static_cast<size_t>(index)];
  stopReporting(slot);
  live_--;
  // Freeing may run arbitrary destructors; the slot must be consistent before.
  const at::Tensor last = std::move(slot.tensor);
  slot.tensor = at::Tensor();
  // A slot whose generations are used up is never used again, so that no old handle can come back to life.
  if (slot.generation++ < kLastGeneration) free_.push_back(static_cast<uint32_t>(index));
}

void Handles::startReporting(double handle) {
  const auto index = find(handle);
  if (index >= 0) startReporting(slots_[static_cast<size_t>(index)]);
}

void Handles::reportAgain(double handle) {
  const auto index = find(handle);
  if (index < 0 || slots_[static_cast<size_t>(index)].reported == nullptr) return;
  stopReporting(slots_[static_cast<size_t>(index)]);
  startReporting(slots_[static_cast<size_t>(index)]);
}

void Handles::startReporting(Slot& slot) {
  if (slot.reported != nullptr || !slot.tensor.has_storage()) return;
  const auto& storage = slot.tensor.storage();
  // A mapped file is no memory, and the buffers of JavaScript are on its account already.
  const bool own = storage.data_ptr().get_deleter() == c10::GetCPUAllocator()->raw_deleter();
  if (!own && storage.device().is_cpu()) return;
  slot.reported = storage.unsafeGetStorageImpl();
  auto [found, isNew] = reports_.try_emplace(slot.reported, Report{storage.getWeakStorageImpl()});
  Report& report = found->second;
  report.handles++;
  if (!isNew) return;
  report.bytes = static_cast<int64_t>(storage.nbytes());
  collectableBytes_ += report.bytes;
}

void Handles::stopReporting(Slot& slot) {
  if (slot.reported == nullptr) return;
  const auto report = reports_.find(std::exchange(slot.reported, nullptr));
  if (--report->second.handles > 0) return;
  collectableBytes_ -= report->second.bytes;
  reports_.erase(report);
}

double handleArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsNumber()) throw Failure("argument", "expected a tensor");
  return info[index].As<Napi::Number>().DoubleValue();
}

const at::Tensor& tensorArgument(const Napi::CallbackInfo& info, size_t index) {
  return Environment::of(info.Env()).handles.get(handleArgument(info, index));
}

std::vector<at::Tensor> tensorsOf(const Handles& handles, Napi::Value value) {
  if (!value.IsArray()) throw Failure("argument", "expected a list of tensors");
  const auto list = value.As<Napi::Array>();
  std::vector<at::Tensor> tensors(list.Length());
  for (uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Value item = list.Get(i);
    if (item.IsNull()) continue;
    if (!item.IsNumber()) throw Failure("argument", "expected a list of tensors");
    tensors[i] = handles.get(item.As<Napi::Number>());
  }
  return tensors;
}

std::vector<at::Tensor> tensorListArgument(const Napi::CallbackInfo& info, size_t index) {
  return tensorsOf(Environment::of(info.Env()).handles, info[index]);
}

std::vector<int64_t> sizesArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsArray()) throw Failure("argument", "expected a shape: a list of integers");
  const auto list = info[index].As<Napi::Array>();
  std::vector<int64_t> sizes;
  for (uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Value item = list.Get(i);
    const double value = item.IsNumber() ? item.As<Napi::Number>().DoubleValue() : -1;
    if (!(value >= 0 && value <= 9007199254740991.0) || value != std::floor(value)) {
      throw Failure("argument", "a shape must be a list of integers >= 0");
    }
    sizes.push_back(static_cast<int64_t>(value));
  }
  return sizes;
}

std::string stringArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsString()) throw Failure("argument", "expected a string");
  return info[index].As<Napi::String>().Utf8Value();
}

int64_t intArgument(const Napi::CallbackInfo& info, size_t index) {
  const double value = info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : NAN;
  if (!(std::abs(value) <= 9007199254740991.0) || value != std::floor(value)) {
    throw Failure("argument", "expected an integer");
  }
  return static_cast<int64_t>(value);
}

bool boolArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsBoolean()) throw Failure("argument", "expected true or false");
  return info[index].As<Napi::Boolean>().Value();
}

Napi::Value wrap(Napi::Env env, at::Tensor tensor) {
  if (!tensor.defined()) return env.Null();
  return Napi::Number::New(env, Environment::of(env).handles.add(std::move(tensor)));
}

Napi::Array wrap(Napi::Env env, const std::vector<at::Tensor>& tensors) {
  auto array = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < tensors.size(); i++) array.Set(i, wrap(env, tensors[i]));
  return array;
}

const char* dtypeName(at::ScalarType type) {
  for (const auto& entry : kDTypes) {
    if (entry.type == type) return entry.name;
  }
  return c10::toString(type);
}

at::ScalarType dtypeOf(const std::string& name) {
  for (const auto& entry : kDTypes) {
    if (name == entry.name) return entry.type;
  }
  throw Failure("argument", "unknown dtype '" + name + "'");
}

}  // namespace chronotope
