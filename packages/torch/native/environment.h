// State of one JavaScript environment (the main thread or a worker thread) and the single place where C++ exceptions
// become JavaScript errors. Nothing here is shared between environments.
#pragma once

#include <napi.h>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
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

// Stands for an absent tensor among handles.
constexpr double kNoTensor = -1;

// Tensors are named by numbers: 26 bits of slot index and 27 bits of generation, so that a number whose tensor was
// released never reaches the slot's next owner. Forged or stale numbers are refused; they cannot crash.
class Handles {
 public:
  double add(at::Tensor tensor);
  const at::Tensor& get(double handle) const;
  void release(double handle);
  size_t live() const { return live_; }

  // Counts the tensor's memory as one that the garbage collector can free, until the handle is released.
  void startReporting(double handle);
  // Counts, if the tensor was counted, the memory that it has now.
  void reportAgain(double handle);
  int64_t collectableBytes() const { return collectableBytes_; }
  // By how much that has changed since the last call.
  int64_t takeUnreportedBytes() { return collectableBytes_ - std::exchange(reportedBytes_, collectableBytes_); }

 private:
  struct Slot {
    at::Tensor tensor;
    uint32_t generation = 1;
    const void* reported = nullptr;  // the storage that is counted for this handle
  };
  // A storage is counted once, however many handles view it. The weak pointer keeps its address from being used again.
  struct Report {
    c10::weak_intrusive_ptr<c10::StorageImpl> storage;
    size_t handles = 0;
    int64_t bytes = 0;
  };
  int64_t find(double handle) const;
  void startReporting(Slot& slot);
  void stopReporting(Slot& slot);

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::unordered_map<const void*, Report> reports_;
  size_t live_ = 0;
  int64_t collectableBytes_ = 0;
  int64_t reportedBytes_ = 0;
};

// An object of JavaScript that libtorch holds: a function that the backward pass calls, or a buffer that a tensor
// lives in. It stays in a table on the side of JavaScript, and libtorch holds its number: libtorch may let go on any
// thread, but only the environment's own may touch what belongs to JavaScript.
class Anchor : public torch::CustomClassHolder {
 public:
  struct Table;
  Anchor(double id, std::shared_ptr<Table> table) : id_(id), table_(std::move(table)) {}
  ~Anchor() override;

  // Calls the function with tensors, undefined ones as null, and a text.
  std::vector<at::Tensor> call(const std::vector<at::Tensor>& tensors, const std::string& text = {}) const;

 private:
  const double id_;
  const std::shared_ptr<Table> table_;
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

struct Environment;
class Arguments;

// An operator whose schema has been read once, so that a call only converts values.
struct OperatorPlan {
  c10::OperatorHandle handle;
  std::vector<ArgumentPlan> arguments;
  std::vector<bool> returnsWritten;  // a result that is one of the arguments, written in place
  at::Tensor (*plainCall)(const Environment&, const OperatorPlan&, Arguments&);  // null: by the stack
};

struct Environment {
  Environment();
  ~Environment();

  std::shared_ptr<Anchor::Table> anchors;
  Handles handles;
  std::unordered_map<double, at::Generator> generators;
  std::deque<OperatorPlan> operators;  // a deque: plans stay where they are when JavaScript looks up more in a callback
  std::unordered_map<std::string, uint32_t> operatorIndex;
  Napi::FunctionReference makeError;  // (code, message) => TorchError
  Napi::FunctionReference invoke;     // (id, (handle | null)[], text) => (handle | null)[], or undefined when it threw
  Napi::FunctionReference forget;     // (id): libtorch holds this no more
  c10::Stack stack;                   // an empty one with room, between the calls of operators
  double* block = nullptr;            // the call block, in which JavaScript lays out the arguments of a call
  size_t blockLength = 0;
  Napi::ObjectReference blockOwner;

  std::shared_ptr<struct Distributed> distributed;  // the process group, where there is one

  void settleAnchors();  // tells JavaScript which anchors libtorch has let go of
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

Napi::Value wrap(Napi::Env env, at::Tensor tensor);
Napi::Array wrap(Napi::Env env, const std::vector<at::Tensor>& tensors);

template <typename T>
Napi::Value toValue(Napi::Env env, const T& value) {
  if constexpr (std::is_same_v<T, at::Tensor> || std::is_same_v<T, std::vector<at::Tensor>>) return wrap(env, value);
  else return Napi::Value::From(env, value);
}

// Turns the exception in flight into a thrown TorchError.
[[noreturn]] void rethrowAsTorchError(Napi::Env env);

// The reason of the exception in flight, without a backtrace.
std::string messageInFlight();

// Every function that JavaScript can call goes through here.
template <auto body>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    if constexpr (std::is_void_v<decltype(body(info))>) return body(info), info.Env().Undefined();
    else return toValue(info.Env(), body(info));
  } catch (...) {
    rethrowAsTorchError(info.Env());
  }
}

template <auto body>
void define(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<guarded<body>>(exports.Env(), name));
}

// A list of handles and nulls as tensors, undefined ones for null.
std::vector<at::Tensor> tensorsOf(const Handles& handles, Napi::Value value);

// Arguments of the native functions other than operator calls.
double handleArgument(const Napi::CallbackInfo& info, size_t index);
const at::Tensor& tensorArgument(const Napi::CallbackInfo& info, size_t index);
std::vector<at::Tensor> tensorListArgument(const Napi::CallbackInfo& info, size_t index);
std::vector<int64_t> sizesArgument(const Napi::CallbackInfo& info, size_t index);
std::string stringArgument(const Napi::CallbackInfo& info, size_t index);
int64_t intArgument(const Napi::CallbackInfo& info, size_t index);
bool boolArgument(const Napi::CallbackInfo& info, size_t index);
c10::intrusive_ptr<Anchor> anchorArgument(const Napi::CallbackInfo& info, size_t index);

const char* dtypeName(at::ScalarType type);
at::ScalarType dtypeOf(const std::string& name);

void defineOperators(Napi::Object exports);
void defineTensors(Napi::Object exports);
void defineAutograd(Napi::Object exports);
void defineDistributed(Napi::Object exports);

// Bytes of libtorch's CPU tensors in this process, whoever made them, and of the blocks kept for the next ones.
struct MemoryUse {
  int64_t live;
  int64_t cached;
};
MemoryUse cpuMemoryUse();
void installAllocator();

}  // namespace chronotope
