// Backward passes, the functions of JavaScript that they call, and the modes under which operators run.
#include "environment.h"

#include <ATen/SequenceNumber.h>
#include <ATen/autocast_mode.h>
#include <c10/core/AutogradState.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <mutex>
#include <thread>
#include <unordered_set>

namespace chronotope {

// ---- what libtorch holds of JavaScript

struct Anchor::Table {
  std::mutex mutex;
  std::vector<double> dropped;
  Environment* environment;  // null when it has ended
  const std::thread::id thread = std::this_thread::get_id();
};

Environment::Environment() : anchors(std::make_shared<Anchor::Table>()) { anchors->environment = this; }

Environment::~Environment() { anchors->environment = nullptr; }

void Environment::settleAnchors() {
  std::vector<double> dropped;
  {
    const std::lock_guard<std::mutex> lock(anchors->mutex);
    dropped.swap(anchors->dropped);
  }
  for (const double id : dropped) forget.Call({Napi::Number::New(forget.Env(), id)});
}

Anchor::~Anchor() {
  const std::lock_guard<std::mutex> lock(table_->mutex);
  table_->dropped.push_back(id_);
}

std::vector<at::Tensor> Anchor::call(const std::vector<at::Tensor>& tensors, const std::string& text) const {
  if (std::this_thread::get_id() != table_->thread || table_->environment == nullptr) {
    throw Failure("thread", "libtorch ran the backward pass on a thread of its own, where it cannot call JavaScript");
  }
  Environment& state = *table_->environment;
  const Napi::Env env = state.invoke.Env();
  const Napi::HandleScope scope(env);
  const Napi::Value returned =
      state.invoke.Call({Napi::Number::New(env, id_), wrap(env, tensors), Napi::String::New(env, text)});
  if (!returned.IsArray()) throw Failure("callback", "a function of JavaScript threw");
  auto results = tensorsOf(state.handles, returned);
  const auto list = returned.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Value item = list.Get(i);
    if (item.IsNumber()) state.handles.release(item.As<Napi::Number>());
  }
  return results;
}

c10::intrusive_ptr<Anchor> anchorArgument(const Napi::CallbackInfo& info, size_t index) {
  return c10::make_intrusive<Anchor>(handleArgument(info, index), Environment::of(info.Env()).anchors);
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Node;
using torch::autograd::variable_list;

// ---- backward

variable_list optionalList(const Napi::CallbackInfo& info, size_t index) {
  return info[index].IsNull() ? variable_list() : tensorListArgument(info, index);
}

// backward(outputs, gradients | null, retainGraph, createGraph, inputs | null)
void backward(const Napi::CallbackInfo& info) {
  torch::autograd::backward(tensorListArgument(info, 0), optionalList(info, 1), boolArgument(info, 2),
                            boolArgument(info, 3), optionalList(info, 4));
  Environment::of(info.Env()).settleAnchors();
}

// grad(outputs, inputs, gradients | null, retainGraph, createGraph, allowUnused)
variable_list grad(const Napi::CallbackInfo& info) {
  auto gradients =
      torch::autograd::grad(tensorListArgument(info, 0), tensorListArgument(info, 1), optionalList(info, 2),
                            boolArgument(info, 3), boolArgument(info, 4), boolArgument(info, 5));
  Environment::of(info.Env()).settleAnchors();
  return gradients;
}

// ---- functions of JavaScript in the graph

// registerHook(tensor, function) => its place; the function gets the gradient, and may give another one
double registerHook(const Napi::CallbackInfo& info) {
  const auto function = anchorArgument(info, 1);
  return tensorArgument(info, 0).register_hook(
      [function](const at::Tensor& gradient) -> at::Tensor { return function->call({gradient}).at(0); });
}

// removeHook(tensor, place)
void removeHook(const Napi::CallbackInfo& info) {
  tensorArgument(info, 0).remove_hook(static_cast<unsigned>(intArgument(info, 1)));
  Environment::of(info.Env()).settleAnchors();
}

struct ScriptFunction : torch::autograd::Function<ScriptFunction> {
  static variable_list forward(AutogradContext* context, at::TensorList, variable_list outputs,
                               variable_list nonDifferentiable, variable_list saved, c10::intrusive_ptr<Anchor> function) {
    context->mark_non_differentiable(nonDifferentiable);
    context->save_for_backward(std::move(saved));
    context->saved_data["function"] = c10::IValue::make_capsule(std::move(function));
    return outputs;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto function = context->saved_data["function"].toCapsule();
    for (auto& saved : context->get_saved_variables()) gradients.push_back(saved);
    auto results = static_cast<Anchor*>(function.get())->call(gradients);
    results.resize(results.size() + 4);  // nothing for the arguments of forward after the first
    return results;
  }
};

// record(inputs, outputs, nonDifferentiable, saved, function) => outputs whose backward pass calls the function with
// the gradients of all outputs and the saved tensors
variable_list record(const Napi::CallbackInfo& info) {
  const auto inputs = tensorListArgument(info, 0);
  return ScriptFunction::apply(at::TensorList(inputs), tensorListArgument(info, 1), tensorListArgument(info, 2),
                               tensorListArgument(info, 3), anchorArgument(info, 4));
}

struct Watch : torch::autograd::FunctionPostHook {
  Watch(c10::intrusive_ptr<Anchor> function, std::string name) : function(std::move(function)), name(std::move(name)) {}
  variable_list operator()(const variable_list& gradients, const variable_list&) override {
    function->call(gradients, name);
    return gradients;
  }
  const c10::intrusive_ptr<Anchor> function;
  const std::string name;
};

void watchNodes(Node* node, uint64_t since, const c10::intrusive_ptr<Anchor>& function, std::unordered_set<Node*>& seen) {
  constexpr uint64_t kOfLeaves = UINT64_MAX;
  if (node == nullptr || node->sequence_nr() < since || node->sequence_nr() == kOfLeaves) return;
  if (!seen.insert(node).second) return;
  node->add_post_hook(std::make_unique<Watch>(function, node->name()));
  for (const auto& edge : node->next_edges()) watchNodes(edge.function.get(), since, function, seen);
}

// watch(tensors, since, function): the function sees the name and the results of every step of the graph below the
// tensors that was recorded since then
void watch(const Napi::CallbackInfo& info) {
  const auto function = anchorArgument(info, 2);
  std::unordered_set<Node*> seen;
  for (const auto& tensor : tensorListArgument(info, 0)) {
    if (tensor.defined()) watchNodes(tensor.grad_fn().get(), static_cast<uint64_t>(intArgument(info, 1)), function, seen);
  }
}

uint64_t sequenceNumber(const Napi::CallbackInfo&) { return at::sequence_number::peek(); }

// ---- modes

// setGradEnabled(flag) => what it was before
bool setGradEnabled(const Napi::CallbackInfo& info) {
  const bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(boolArgument(info, 0));
  return before;
}

bool isGradEnabled(const Napi::CallbackInfo&) { return at::GradMode::is_enabled(); }

Napi::Value inferenceMode(const Napi::CallbackInfo& info) {
  const c10::InferenceMode guard(true);
  return info[0].As<Napi::Function>().Call({});
}

// setAutocast(device, enabled, dtype)
void setAutocast(const Napi::CallbackInfo& info) {
  using namespace at::autocast;
  const auto device = c10::Device(stringArgument(info, 0)).type();
  const bool enabled = boolArgument(info, 1);
  const auto dtype = dtypeOf(stringArgument(info, 2));
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  set_autocast_enabled(device, enabled);
  set_autocast_dtype(device, dtype);
#else
  (device == at::kCPU ? set_cpu_enabled : set_enabled)(enabled);
  (device == at::kCPU ? set_autocast_cpu_dtype : set_autocast_gpu_dtype)(dtype);
#endif
  if (!enabled) clear_cache();  // of weights that were converted
}

}  // namespace

void defineAutograd(Napi::Object exports) {
#if TORCH_VERSION_MAJOR >= 2
  // Backward passes on CUDA run on this thread as well, so that they can call JavaScript.
  c10::AutogradState::get_tls_state().set_multithreading_enabled(false);
#endif
  define<backward>(exports, "backward");
  define<grad>(exports, "grad");
  define<registerHook>(exports, "registerHook");
  define<removeHook>(exports, "removeHook");
  define<record>(exports, "record");
  define<watch>(exports, "watch");
  define<sequenceNumber>(exports, "sequenceNumber");
  define<setGradEnabled>(exports, "setGradEnabled");
  define<isGradEnabled>(exports, "isGradEnabled");
  define<inferenceMode>(exports, "inferenceMode");
  define<setAutocast>(exports, "setAutocast");
}

}  // namespace chronotope
