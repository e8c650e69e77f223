// Random numbers, threads, memory and versions; and the module's start.
#include "environment.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/csrc/api/include/torch/version.h>

#include <mutex>

namespace chronotope {
namespace {

Napi::Value memory(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  const auto use = cpuMemoryUse();
  const auto& handles = Environment::of(info.Env()).handles;
  result.Set("liveTensors", static_cast<double>(handles.live()));
  result.Set("collectableBytes", static_cast<double>(handles.collectableBytes()));
  result.Set("liveBytes", static_cast<double>(use.live));
  result.Set("cachedBytes", static_cast<double>(use.cached));
  return result;
}

// ---- random numbers

void manualSeed(const Napi::CallbackInfo& info) { at::manual_seed(static_cast<uint64_t>(intArgument(info, 0))); }

// A generator of one's own, by its number, or a device's default one.
at::Generator generatorArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsNumber()) return at::globalContext().defaultGenerator(c10::Device(stringArgument(info, index)));
  const auto& generators = Environment::of(info.Env()).generators;
  const auto found = generators.find(info[index].As<Napi::Number>().DoubleValue());
  if (found == generators.end()) throw Failure("argument", "no such generator");
  return found->second;
}

// setGenerator(id, device): a new one; (id, null): none any more
void setGenerator(const Napi::CallbackInfo& info) {
  auto& generators = Environment::of(info.Env()).generators;
  const double id = handleArgument(info, 0);
  generators.erase(id);
  if (!info[1].IsNull()) generators.emplace(id, generatorArgument(info, 1).clone());
}

// seedGenerator(id | device, seed)
void seedGenerator(const Napi::CallbackInfo& info) {
  auto generator = generatorArgument(info, 0);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(static_cast<uint64_t>(intArgument(info, 1)));
}

at::Tensor getRngState(const Napi::CallbackInfo& info) {
  auto generator = generatorArgument(info, 0);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

void setRngState(const Napi::CallbackInfo& info) {
  auto generator = generatorArgument(info, 0);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(tensorArgument(info, 1));
}

// ---- threads and versions

// OpenBLAS has threads of its own, one set for the process, which libtorch does not tell; with another BLAS there is no
// such function. Left alone, they wait busily for the next matrix product, on cores that were meant for others.
void setNumBlasThreads(const Napi::CallbackInfo& info) {
  using SetNumThreads = void (*)(int);
  static const auto set = reinterpret_cast<SetNumThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (set != nullptr) set(static_cast<int>(intArgument(info, 0)));
}

void setNumThreads(const Napi::CallbackInfo& info) { at::set_num_threads(static_cast<int>(intArgument(info, 0))); }

int getNumThreads(const Napi::CallbackInfo&) { return at::get_num_threads(); }

Napi::Value version(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  const bool cuda = at::globalContext().hasCUDA();
  result.Set("torch", TORCH_VERSION);
  result.Set("cuda", cuda);
  result.Set("cudaDevices", cuda ? static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()) : 0);
  return result;
}

std::string showConfig(const Napi::CallbackInfo&) { return at::show_config() + "\n" + at::get_parallel_info(); }

// setCallbacks(makeError, invoke, forget)
void setCallbacks(const Napi::CallbackInfo& info) {
  auto& state = Environment::of(info.Env());
  state.makeError = Napi::Persistent(info[0].As<Napi::Function>());
  state.invoke = Napi::Persistent(info[1].As<Napi::Function>());
  state.forget = Napi::Persistent(info[2].As<Napi::Function>());
}

}  // namespace

}  // namespace chronotope

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  using namespace chronotope;
  installAllocator();
  env.SetInstanceData(new Environment());
  defineOperators(exports);
  defineTensors(exports);
  defineAutograd(exports);
#ifdef CHRONOTOPE_GLOO
  defineDistributed(exports);
#endif
  define<memory>(exports, "memory");
  define<manualSeed>(exports, "manualSeed");
  define<setGenerator>(exports, "setGenerator");
  define<seedGenerator>(exports, "seedGenerator");
  define<getRngState>(exports, "getRngState");
  define<setRngState>(exports, "setRngState");
  define<setNumBlasThreads>(exports, "setNumBlasThreads");
  define<setNumThreads>(exports, "setNumThreads");
  define<getNumThreads>(exports, "getNumThreads");
  define<version>(exports, "version");
  define<showConfig>(exports, "showConfig");
  define<setCallbacks>(exports, "setCallbacks");
  return exports;
}

NODE_API_MODULE(chronotope_torch, initialise)
