// Training in several processes on libtorch's c10d: one process group an environment, its collectives, and the gradient
// buckets that overlap communication with the backward pass. Compiled only where libtorch has Gloo.
#include "environment.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef CHRONOTOPE_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#include <torch/csrc/api/include/torch/version.h>

#include <functional>
#include <mutex>

namespace chronotope {
namespace {

#if TORCH_VERSION_MAJOR >= 2
using Backend = c10d::Backend;
#else
using Backend = c10d::ProcessGroup;
#endif
using torch::autograd::variable_list;
using NodePointer = decltype(torch::autograd::impl::grad_accumulator(at::Tensor()));  // shared or intrusive

struct Group {
  c10::intrusive_ptr<Backend> backend;
  std::string name;  // "rank 1 of 2 (127.0.0.1:29500)", for errors
};

struct PendingWork {
  c10::intrusive_ptr<c10d::Work> work;
  std::string what;

  // Ends at the group's time-out at the latest: every step of a collective has it.
  void wait() const {
    try {
      work->wait();
    } catch (...) {
      throw Failure("distributed", what + " failed: " + messageInFlight());
    }
  }
};

PendingWork allReduce(const Group& group, at::Tensor tensor, const char* what, c10d::ReduceOp reduction) {
  std::vector<at::Tensor> tensors{std::move(tensor)};
  c10d::AllreduceOptions options;
  options.reduceOp = reduction;
  return {group.backend->allreduce(tensors, options), group.name + ": " + what};
}

// ---- gradient buckets

// Averages gradients over the ranks while the backward pass still runs: each parameter's gradient is copied into its
// bucket when it is ready, and a bucket is reduced as soon as it and all buckets before it are complete, so that all
// ranks reduce in the same order. The gradients become views of the buckets. The backward pass returns when all arrived.
class Reducer : public std::enable_shared_from_this<Reducer> {
 public:
  Reducer(Group group, const std::vector<std::vector<at::Tensor>>& buckets, std::vector<std::string> names,
          bool allowUnused)
      : group_(std::move(group)), names_(std::move(names)), allowUnused_(allowUnused),
        share_(at::scalar_tensor(1.0 / group_.backend->getSize(), at::kDouble)) {
    for (const auto& parameters : buckets) addBucket(parameters);
  }

  ~Reducer() {
    for (auto& slot : slots_) slot.accumulator->del_post_hook(slot.hook);
  }

  // Whether gradients are reduced from now on. Forgets a backward pass that failed before its end.
  void prepare(bool enabled) {
    enabled_ = enabled;
    running_ = false;
  }

 private:
  struct Slot {
    at::Tensor parameter, view;
    size_t bucket;
    NodePointer accumulator;
    uintptr_t hook;
    bool ready;
  };
  struct Bucket {
    at::Tensor flat;
    int64_t size, missing;
    PendingWork work;
  };

  void addBucket(const std::vector<at::Tensor>& parameters) {
    int64_t elements = 0;
    for (const auto& parameter : parameters) elements += parameter.numel();
    const auto flat = at::zeros({elements}, parameters.at(0).options().requires_grad(false));
    int64_t offset = 0;
    for (const auto& parameter : parameters) {
      const auto view = parameter.is_non_overlapping_and_dense()
                            ? flat.as_strided(parameter.sizes(), parameter.strides(), offset)
                            : flat.narrow(0, offset, parameter.numel()).view(parameter.sizes());
      offset += parameter.numel();
      const auto accumulator = torch::autograd::impl::grad_accumulator(parameter);
      const size_t index = slots_.size();
      const auto hook = accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
          [this, index](const variable_list& outputs, const variable_list&) {
            onGradient(index);
            return outputs;
          }));
      slots_.push_back({parameter, view, buckets_.size(), accumulator, hook, false});
    }
    buckets_.push_back({flat, static_cast<int64_t>(parameters.size()), 0, {}});
  }

  void onGradient(size_t index) {
    const std::lock_guard<std::mutex> lock(mutex_);  // each device has its own thread in the backward pass
    if (!enabled_) return;
    if (!running_) begin();
    Slot& slot = slots_[index];
    if (slot.ready) throw Failure("distributed", names_[index] + " got a second gradient in one backward pass");
    contribute(slot);
    slot.parameter.mutable_grad() = slot.view;
    reduceComplete();
  }

  void begin() {
    running_ = true;
    next_ = 0;
    for (auto& slot : slots_) slot.ready = false;
    waitForAll();  // what a pass that failed has left
    for (auto& bucket : buckets_) bucket.missing = bucket.size;
    torch::autograd::Engine::get_default_engine().queue_callback([self = shared_from_this()] { self->finish(); });
  }

  void contribute(Slot& slot) {
    const at::NoGradGuard noGrad;
    const auto& gradient = slot.parameter.grad();
    if (gradient.defined()) {
      at::mul_out(slot.view, gradient, share_);
    } else {
      slot.view.zero_();
    }
    slot.ready = true;
    buckets_[slot.bucket].missing--;
  }

  void reduceComplete() {
    for (; next_ < buckets_.size() && buckets_[next_].missing == 0; next_++) {
      auto& bucket = buckets_[next_];
      bucket.work = allReduce(group_, bucket.flat, "all-reduce of gradients", c10d::ReduceOp::SUM);
    }
  }

  void waitForAll() {
    for (auto& bucket : buckets_) {
      const PendingWork work = std::exchange(bucket.work, {});
      if (work.work) work.wait();
    }
  }

  // Runs at the end of the backward pass.
  void finish() {
    running_ = false;  // also when this throws, so that the next backward pass begins afresh
    at::Tensor used;
    if (allowUnused_) {
      used = reduceUnused();
    } else {
      refuseUnused();
    }
    waitForAll();
    for (int64_t i = 0; allowUnused_ && i < used.numel(); i++) {
      if (used.data_ptr<int32_t>()[i] != 0) slots_[i].parameter.mutable_grad() = slots_[i].view;
    }
  }

  void refuseUnused() const {
    std::string unused;
    for (size_t i = 0; i < slots_.size(); i++) {
      if (!slots_[i].ready) unused += (unused.empty() ? "" : ", ") + names_[i];
    }
    if (!unused.empty()) throw Failure("distributed", group_.name + ": no gradient for " + unused);
  }

  // Unused parameters count as zero. Tells which ones some rank has a gradient for: the others' stay as they are.
  at::Tensor reduceUnused() {
    const auto used = at::zeros({static_cast<int64_t>(slots_.size())}, at::kInt);
    for (size_t i = 0; i < slots_.size(); i++) {
      used.data_ptr<int32_t>()[i] = slots_[i].parameter.grad().defined();
      if (!slots_[i].ready) contribute(slots_[i]);
    }
    reduceComplete();
    const auto shared = used.to(buckets_.at(0).flat.device());
    allReduce(group_, shared, "all-reduce of unused parameters", c10d::ReduceOp::MAX).wait();
    return shared.cpu();
  }

  Group group_;
  std::vector<std::string> names_;
  const bool allowUnused_;
  const at::Tensor share_;
  std::vector<Slot> slots_;
  std::vector<Bucket> buckets_;
  std::mutex mutex_;
  bool enabled_ = true;
  bool running_ = false;
  size_t next_ = 0;
};

}  // namespace

struct Distributed : Group {};

namespace {

Group& stateOf(const Napi::CallbackInfo& info) {
  auto& state = Environment::of(info.Env()).distributed;
  if (!state) state = std::make_shared<Distributed>();
  return *state;
}

const Group& groupOf(const Napi::CallbackInfo& info) {
  const Group& group = stateOf(info);
  if (!group.backend) throw Failure("distributed", "there is no process group");
  return group;
}

// A C++ value that JavaScript holds, and frees when it is garbage-collected. It says of which type it is, since one that is
// passed where another belongs must be refused.
struct Held {
  explicit Held(const std::type_info& type) : type(type) {}
  virtual ~Held() = default;
  const std::type_info& type;
};

template <typename T>
struct HeldValue : Held {
  explicit HeldValue(T value) : Held(typeid(T)), value(std::move(value)) {}
  T value;
};

template <typename T>
Napi::Value hold(const Napi::CallbackInfo& info, T value) {
  Held* held = new HeldValue<T>(std::move(value));
  return Napi::External<Held>::New(info.Env(), held, [](Napi::Env, Held* freed) { delete freed; });
}

template <typename T>
T& heldArgument(const Napi::CallbackInfo& info, size_t index) {
  Held* held = info[index].IsExternal() ? info[index].As<Napi::External<Held>>().Data() : nullptr;
  if (held == nullptr || held->type != typeid(T)) {
    throw Failure("argument", "expected what an earlier call of the binding returned");
  }
  return static_cast<HeldValue<T>*>(held)->value;
}

// A promise for what runs on a thread of Node's pool.
class OffThread : public Napi::AsyncWorker {
 public:
  static Napi::Value run(Napi::Env env, std::function<void()> body) {
    auto* task = new OffThread(env, std::move(body));
    task->Queue();
    return task->deferred_.Promise();
  }

 private:
  OffThread(Napi::Env env, std::function<void()> body)
      : AsyncWorker(env), body_(std::move(body)), deferred_(env) {}
  void Execute() override {
    try {
      body_();
    } catch (...) {
      SetError(messageInFlight());
    }
  }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  std::function<void()> body_;
  Napi::Promise::Deferred deferred_;
};

struct Rendezvous {
  std::string backend, file, host, prefix, networkInterface, address, name;
  uint16_t port;
  bool serves;
  int rank, size;
  std::chrono::milliseconds timeout;
};

c10::intrusive_ptr<c10d::Store> openStore(const Rendezvous& at) {
  if (!at.file.empty()) {
    auto store = c10::make_intrusive<c10d::FileStore>(at.file, at.size);
    store->setTimeout(at.timeout);
    return store;
  }
  c10d::TCPStoreOptions options;
  options.port = at.port;
  options.isServer = at.serves;
  options.waitWorkers = false;  // the backend waits for all ranks, with the same time-out
  options.timeout = at.timeout;
  return c10::make_intrusive<c10d::TCPStore>(at.host, options);
}

c10::intrusive_ptr<Backend> connect(const Rendezvous& at) {
  const auto store = c10::make_intrusive<c10d::PrefixStore>(at.prefix, openStore(at));
#ifdef CHRONOTOPE_NCCL
  if (at.backend == "nccl") {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = at.timeout;
    return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, at.rank, at.size, options);
  }
#endif
  using Gloo = c10d::ProcessGroupGloo;
  auto options = Gloo::Options::create(at.timeout);
  options->devices.push_back(!at.networkInterface.empty() ? Gloo::createDeviceForInterface(at.networkInterface)
                             : !at.address.empty()        ? Gloo::createDeviceForHostname(at.address)
                                                          : Gloo::createDefaultDevice());
  return c10::make_intrusive<Gloo>(store, at.rank, at.size, options);
}

// joinGroup({ backend, file, host, ... }) => promise; the fields are those of Rendezvous, the timeout in ms
Napi::Value joinGroup(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const auto text = [&](const char* name) { return options.Get(name).As<Napi::String>().Utf8Value(); };
  const auto number = [&](const char* name) { return options.Get(name).As<Napi::Number>().Int64Value(); };
  const Rendezvous at{text("backend"), text("file"), text("host"), text("prefix"), text("networkInterface"),
                      text("address"), text("name"), static_cast<uint16_t>(number("port")),
                      options.Get("serves").As<Napi::Boolean>().Value(), static_cast<int>(number("rank")),
                      static_cast<int>(number("size")), std::chrono::milliseconds(number("timeout"))};
  return OffThread::run(info.Env(), [at, &group = stateOf(info)] { group = {connect(at), at.name}; });
}

Napi::Value leaveGroup(const Napi::CallbackInfo& info) {
  stateOf(info) = {};
  return info.Env().Undefined();
}

// ---- collectives: each start… returns a pending work for waitForWork or finishWork

// startAllReduce(tensor, 'sum' | 'min' | 'max'), in place
Napi::Value startAllReduce(const Napi::CallbackInfo& info) {
  const auto reduction = stringArgument(info, 1);
  const auto type = reduction == "min"   ? c10d::ReduceOp::MIN
                    : reduction == "max" ? c10d::ReduceOp::MAX
                                         : c10d::ReduceOp::SUM;
  return hold(info, allReduce(groupOf(info), tensorArgument(info, 0), "all-reduce", type));
}

// startBroadcast(tensor, source rank), in place
Napi::Value startBroadcast(const Napi::CallbackInfo& info) {
  const Group& group = groupOf(info);
  std::vector<at::Tensor> tensors{tensorArgument(info, 0)};
  c10d::BroadcastOptions options;
  options.rootRank = intArgument(info, 1);
  return hold(info, PendingWork{group.backend->broadcast(tensors, options), group.name + ": broadcast"});
}

// startAllGather(output, input): the output's first dimension counts the ranks
Napi::Value startAllGather(const Napi::CallbackInfo& info) {
  const Group& group = groupOf(info);
  std::vector<std::vector<at::Tensor>> outputs{tensorArgument(info, 0).unbind(0)};
  std::vector<at::Tensor> inputs{tensorArgument(info, 1)};
  return hold(info, PendingWork{group.backend->allgather(outputs, inputs), group.name + ": all-gather"});
}

// Taken out of JavaScript's hands, so that tensors and connections do not wait for the garbage collector.
PendingWork takeWork(const Napi::CallbackInfo& info) {
  PendingWork pending = std::exchange(heldArgument<PendingWork>(info, 0), {});
  if (!pending.work) throw Failure("argument", "the collective has been waited for already");
  return pending;
}

Napi::Value waitForWork(const Napi::CallbackInfo& info) {
  takeWork(info).wait();
  return info.Env().Undefined();
}

// finishWork(work) => promise
Napi::Value finishWork(const Napi::CallbackInfo& info) {
  return OffThread::run(info.Env(), [pending = takeWork(info)] { pending.wait(); });
}

// Every rank received these rows, so their gradient is the sum of the gradients that all ranks have for them.
struct AllGather : torch::autograd::Function<AllGather> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& rows,
                            const at::Tensor& gathered, const Group& group) {
    context->saved_data["rows"] = rows.size(0);
    context->saved_data["backend"] = c10::IValue::make_capsule(group.backend);
    context->saved_data["name"] = group.name;
    return gathered;
  }
  static variable_list backward(torch::autograd::AutogradContext* context, variable_list gradients) {
    auto& saved = context->saved_data;
    const Group group{c10::static_intrusive_pointer_cast<Backend>(saved["backend"].toCapsule()),
                      saved["name"].toStringRef()};
    const int64_t rows = saved["rows"].toInt();
    const auto total = gradients[0].clone(at::MemoryFormat::Contiguous);
    allReduce(group, total, "all-reduce of an all-gather's gradient", c10d::ReduceOp::SUM).wait();
    return {total.narrow(0, group.backend->getRank() * rows, rows), at::Tensor(), at::Tensor()};
  }
};

// linkAllGather(this rank's rows, gathered rows) => the gathered rows, recorded for the backward pass
Napi::Value linkAllGather(const Napi::CallbackInfo& info) {
  auto linked = AllGather::apply(tensorArgument(info, 0), tensorArgument(info, 1), groupOf(info));
  return Napi::Number::New(info.Env(), Environment::of(info.Env()).handles.add(std::move(linked)));
}

// addReducer(buckets of parameters, names in the same order, allowUnused)
Napi::Value addReducer(const Napi::CallbackInfo& info) {
  const auto lists = info[0].As<Napi::Array>();
  const auto listed = info[1].As<Napi::Array>();
  const auto& handles = Environment::of(info.Env()).handles;
  std::vector<std::vector<at::Tensor>> buckets(lists.Length());
  for (uint32_t i = 0; i < lists.Length(); i++) {
    const auto bucket = lists.Get(i).As<Napi::Array>();
    for (uint32_t k = 0; k < bucket.Length(); k++) {
      buckets[i].push_back(handles.get(bucket.Get(k).As<Napi::Number>().DoubleValue()));
    }
  }
  std::vector<std::string> names;
  for (uint32_t i = 0; i < listed.Length(); i++) names.push_back(listed.Get(i).As<Napi::String>().Utf8Value());
  return hold(info, std::make_shared<Reducer>(groupOf(info), buckets, std::move(names), boolArgument(info, 2)));
}

// prepareReducer(reducer, whether to reduce)
Napi::Value prepareReducer(const Napi::CallbackInfo& info) {
  const auto& reducer = heldArgument<std::shared_ptr<Reducer>>(info, 0);
  if (!reducer) throw Failure("distributed", "the process group has ended, or the model was unwrapped");
  reducer->prepare(boolArgument(info, 1));
  return info.Env().Undefined();
}

Napi::Value removeReducer(const Napi::CallbackInfo& info) {
  heldArgument<std::shared_ptr<Reducer>>(info, 0).reset();
  return info.Env().Undefined();
}

}  // namespace

void defineDistributed(Napi::Object exports) {
#ifdef CHRONOTOPE_NCCL
  exports.Set("distributedBackends", "gloo nccl");
#else
  exports.Set("distributedBackends", "gloo");
#endif
  define<joinGroup>(exports, "joinGroup");
  define<leaveGroup>(exports, "leaveGroup");
  define<startAllReduce>(exports, "startAllReduce");
  define<startBroadcast>(exports, "startBroadcast");
  define<startAllGather>(exports, "startAllGather");
  define<waitForWork>(exports, "waitForWork");
  define<finishWork>(exports, "finishWork");
  define<linkAllGather>(exports, "linkAllGather");
  define<addReducer>(exports, "addReducer");
  define<prepareReducer>(exports, "prepareReducer");
  define<removeReducer>(exports, "removeReducer");
}

}  // namespace chronotope
