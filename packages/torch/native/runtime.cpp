// Autograd, random numbers, threads, memory and versions; and the module's start.
#include "environment.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/csrc/autograd/autograd.h>

#include <mutex>

namespace chronotope {
namespace {

Napi::Value memory(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  const auto use = cpuMemoryUse();
  result.Set("liveTensors", static_cast<double>(Environment::of(info.Env()).handles.live()));
  result.Set("liveBytes", static_cast<double>(use.live));
  result.Set("cachedBytes", static_cast<double>(use.cached));
  return result;
}

// ---- autograd

using torch::autograd::variable_list;

variable_list optionalList(const Napi::CallbackInfo& info, size_t index) {
  return info[index].IsNull() ? variable_list() : tensorListArgument(info, index);
}

// backward(outputs, gradients | null, retainGraph, createGraph, inputs | null)
Napi::Value backward(const Napi::CallbackInfo& info) {
  torch::autograd::backward(tensorListArgument(info, 0), optionalList(info, 1), boolArgument(info, 2),
                            boolArgument(info, 3), optionalList(info, 4));
  return info.Env().Undefined();
}

// grad(outputs, inputs, gradients | null, retainGraph, createGraph, allowUnused)
Napi::Value grad(const Napi::CallbackInfo& info) {
  const auto gradients =
      torch::autograd::grad(tensorListArgument(info, 0), tensorListArgument(info, 1), optionalList(info, 2),
                            boolArgument(info, 3), boolArgument(info, 4), boolArgument(info, 5));
  auto& handles = Environment::of(info.Env()).handles;
  auto result = Napi::Array::New(info.Env(), gradients.size());
  for (uint32_t i = 0; i < gradients.size(); i++) {
    result.Set(i, gradients[i].defined() ? Napi::Number::New(info.Env(), handles.add(gradients[i]))
                                         : info.Env().Null());
  }
  return result;
}

// setGradEnabled(flag) => what it was before
Napi::Value setGradEnabled(const Napi::CallbackInfo& info) {
  const bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(boolArgument(info, 0));
  return Napi::Boolean::New(info.Env(), before);
}

Napi::Value isGradEnabled(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), at::GradMode::is_enabled());
}

// ---- random numbers

Napi::Value manualSeed(const Napi::CallbackInfo& info) {
  at::manual_seed(static_cast<uint64_t>(intArgument(info, 0)));
  return info.Env().Undefined();
}

at::Generator generatorOf(const Napi::CallbackInfo& info, size_t index) {
  return at::globalContext().defaultGenerator(c10::Device(stringArgument(info, index)));
}

Napi::Value getRngState(const Napi::CallbackInfo& info) {
  auto generator = generatorOf(info, 0);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return Napi::Number::New(info.Env(), Environment::of(info.Env()).handles.add(generator.get_state()));
}

Napi::Value setRngState(const Napi::CallbackInfo& info) {
  auto generator = generatorOf(info, 0);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(tensorArgument(info, 1));
  return info.Env().Undefined();
}

// ---- threads and versions

Napi::Value setNumThreads(const Napi::CallbackInfo& info) {
  at::set_num_threads(static_cast<int>(intArgument(info, 0)));
  return info.Env().Undefined();
}

Napi::Value getNumThreads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), at::get_num_threads());
}

Napi::Value version(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  const bool cuda = at::globalContext().hasCUDA();
  result.Set("torch", TORCH_VERSION);
  result.Set("cuda", cuda);
  result.Set("cudaDevices", cuda ? static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()) : 0);
  return result;
}

Napi::Value showConfig(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), at::show_config() + "\n" + at::get_parallel_info());
}

Napi::Value setErrorFactory(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) throw Failure("argument", "expected a function");
  Environment::of(info.Env()).makeError = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

}  // namespace

}  // namespace chronotope

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  using namespace chronotope;
  installAllocator();
  env.SetInstanceData(new Environment());
  defineOperators(exports);
  defineTensors(exports);
#ifdef CHRONOTOPE_GLOO
  defineDistributed(exports);
#endif
  define<memory>(exports, "memory");
  define<backward>(exports, "backward");
  define<grad>(exports, "grad");
  define<setGradEnabled>(exports, "setGradEnabled");
  define<isGradEnabled>(exports, "isGradEnabled");
  define<manualSeed>(exports, "manualSeed");
  define<getRngState>(exports, "getRngState");
  define<setRngState>(exports, "setRngState");
  define<setNumThreads>(exports, "setNumThreads");
  define<getNumThreads>(exports, "getNumThreads");
  define<version>(exports, "version");
  define<showConfig>(exports, "showConfig");
  define<setErrorFactory>(exports, "setErrorFactory");
  return exports;
}

NODE_API_MODULE(chronotope_torch, initialise)
