// State of one JavaScript environment (the main thread or a worker thread) and the single place where C++ exceptions
// become JavaScript errors. Nothing here is shared between environments.
#pragma once

#include <napi.h>

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace chronotope {

// A refusal of our own, with the code that the JavaScript error carries.
class Failure : public std::exception {
 public:
  Failure(std::string code, std::string message) : code(std::move(code)), message(std::move(message)) {}
  const char* what() const noexcept override { return message.c_str(); }
  const std::string code;
  const std::string message;
};

// Tensors are named by numbers: 26 bits of slot index and 27 bits of generation, so that a number whose tensor was
// released never reaches the slot's next owner. Forged or stale numbers are refused; they cannot crash.
class Handles {
 public:
  double add(at::Tensor tensor);
  const at::Tensor& get(double handle) const;
  void release(double handle);
  size_t live() const { return live_; }

  // Tells how many bytes the garbage collector should count for this tensor; 0 when they are counted already.
  int64_t startReporting(double handle);
  // Bytes to take off the garbage collector's account since the last call.
  int64_t takeReleasedBytes() { return std::exchange(releasedBytes_, 0); }

 private:
  struct Slot {
    at::Tensor tensor;
    uint32_t generation = 1;
    int64_t reportedBytes = 0;
  };
  int64_t find(double handle) const;

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t live_ = 0;
  int64_t releasedBytes_ = 0;
};

enum class Kind : uint8_t {
  Tensor, TensorList, OptionalTensorList, Scalar, ScalarList, Int, IntList, Float, FloatList, Bool, BoolList,
  String, DType, Device, Layout, MemoryFormat, Generator, Unsupported,
};

struct ArgumentPlan {
  std::string name;
  Kind kind;
  bool optional;
  int32_t repeat;  // `int[3]`: one number stands for three equal ones; 0 where the length is free
  bool hasDefault;
  c10::IValue defaultValue;
};

// An operator whose schema has been read once, so that a call only converts values.
struct OperatorPlan {
  c10::OperatorHandle handle;
  std::string name;
  std::vector<ArgumentPlan> arguments;
  std::vector<bool> returnsWritten;  // a result that is one of the arguments, written in place
};

struct Environment {
  Handles handles;
  std::vector<OperatorPlan> operators;
  std::unordered_map<std::string, uint32_t> operatorIndex;
  Napi::FunctionReference makeError;  // (code, message, operator, tensors[]) => TorchError
  const OperatorPlan* active = nullptr;  // the operator that runs now, for the error message
  c10::Stack stack;
  std::shared_ptr<struct Distributed> distributed;  // the process group, where there is one

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

// Turns the exception in flight into a thrown TorchError.
[[noreturn]] void rethrowAsTorchError(const Napi::CallbackInfo& info);

// The reason of the exception in flight, without a backtrace.
std::string messageInFlight();

using Body = Napi::Value (*)(const Napi::CallbackInfo& info);

// Every function that JavaScript can call goes through here.
template <Body body>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return body(info);
  } catch (...) {
    rethrowAsTorchError(info);
  }
}

template <Body body>
void define(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<guarded<body>>(exports.Env(), name));
}

// Arguments of the native functions other than operator calls.
double handleArgument(const Napi::CallbackInfo& info, size_t index);
const at::Tensor& tensorArgument(const Napi::CallbackInfo& info, size_t index);
std::vector<at::Tensor> tensorListArgument(const Napi::CallbackInfo& info, size_t index);
std::vector<int64_t> sizesArgument(const Napi::CallbackInfo& info, size_t index);
std::string stringArgument(const Napi::CallbackInfo& info, size_t index);
int64_t intArgument(const Napi::CallbackInfo& info, size_t index);
bool boolArgument(const Napi::CallbackInfo& info, size_t index);

const char* dtypeName(at::ScalarType type);
at::ScalarType dtypeOf(const std::string& name);
std::string describe(const at::Tensor& tensor);

void defineOperators(Napi::Object exports);
void defineTensors(Napi::Object exports);
void defineRuntime(Napi::Object exports);
void defineDistributed(Napi::Object exports);

// Bytes of libtorch's CPU tensors in this process, whoever made them, and of the blocks kept for the next ones.
struct MemoryUse {
  int64_t live;
  int64_t cached;
};
MemoryUse cpuMemoryUse();
void installAllocator();

}  // namespace chronotope
