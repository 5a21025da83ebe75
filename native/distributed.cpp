// Distributed training: key-value stores and process groups of torch's c10d, collective operations with autograd, and hooks that
// run when the gradient of a parameter is complete. Gloo needs its headers (Debian: libgloo-dev), NCCL a libtorch with CUDA.

#include "common.hpp"

// libtorch's CMake files define USE_C10D_GLOO and USE_C10D_NCCL if it was built with them.
#if defined(USE_C10D_GLOO) && __has_include(<gloo/algorithm.h>)
#define TINCTOR_GLOO
#endif
#if defined(USE_C10D_NCCL) && defined(TINCTOR_CUDA) && __has_include(<nccl.h>)
#define TINCTOR_NCCL
#endif
#if __has_include(<torch/csrc/distributed/c10d/TCPStore.hpp>)
#define TINCTOR_C10D
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif
#ifdef TINCTOR_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#ifdef TINCTOR_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <chrono>
#include <memory>

enum Backend : int { kGloo = 1, kNccl = 2 };

// Backends of this build, as a sum of bits.
TT_API int tt_dist_backends() {
  int backends = 0;
#ifdef TINCTOR_GLOO
  backends |= kGloo;
#endif
#ifdef TINCTOR_NCCL
  backends |= kNccl;
#endif
  return backends;
}

#ifdef TINCTOR_C10D

namespace {

// Collective operations are methods of Backend since libtorch 2.0, before of ProcessGroup.
#if TT_TORCH_AT_LEAST(2, 0)
using GroupBase = c10d::Backend;
#else
using GroupBase = c10d::ProcessGroup;
#endif
using WorkPtr = c10::intrusive_ptr<c10d::Work>;
using Group = c10::intrusive_ptr<GroupBase>;
using Store = c10::intrusive_ptr<c10d::Store>;

// The tensors of an operation live until it is complete.
struct Pending {
  WorkPtr work;
  std::vector<at::Tensor> tensors;
};

Pending start_all_reduce(const Group& group, const at::Tensor& tensor, c10d::ReduceOp::RedOpType operation) {
  Pending pending{WorkPtr(), {tensor}};
  c10d::AllreduceOptions options;
  options.reduceOp = operation;
  pending.work = group->allreduce(pending.tensors, options);
  return pending;
}

at::Tensor sum_over_ranks(const Group& group, const at::Tensor& input);

struct SumBackward : torch::autograd::Node {
  explicit SumBackward(Group group) : group(std::move(group)) {}

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    // All ranks must take part, also one whose loss does not depend on the sum.
    auto gradient = gradients[0].defined() ? gradients[0] : input_metadata(0).zeros_like();
    return {sum_over_ranks(group, gradient)};
  }

  Group group;
};

// Sum of a tensor over the ranks; its gradient is the sum of the gradients of the ranks.
at::Tensor sum_over_ranks(const Group& group, const at::Tensor& input) {
  auto sum = input.detach().clone(at::MemoryFormat::Contiguous);
  start_all_reduce(group, sum, c10d::ReduceOp::SUM).work->wait();
  if (torch::autograd::compute_requires_grad(input)) {
    std::shared_ptr<SumBackward> node(new SumBackward(group), torch::autograd::deleteNode);
    node->set_next_edges(torch::autograd::collect_next_edges(input));
    torch::autograd::set_history(sum, node);
  }
  return sum;
}

Store& store_of(void* handle) { return *static_cast<Store*>(handle); }
Group& group_of(void* handle) { return *static_cast<Group*>(handle); }

}  // namespace

// Connects to the store of rank 0, which serves it; port 0 chooses a free one.
TT_API void* tt_store_new(const char* host, int port, int serves, int world_size, int64_t timeout_ms) {
  return guarded<void*>("TCPStore", nullptr, [&] {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(port);
    options.isServer = serves != 0;
    options.waitWorkers = false;
    options.numWorkers = static_cast<size_t>(world_size);
    options.timeout = std::chrono::milliseconds(timeout_ms);
    return new Store(c10::make_intrusive<c10d::TCPStore>(host, options));
  });
}

TT_API void tt_store_free(void* store) { delete static_cast<Store*>(store); }

TT_API int tt_store_set(void* store, const char* key, const char* value) {
  return guarded("Store.set", -1, [&] {
    auto bytes = reinterpret_cast<const uint8_t*>(value);
    store_of(store)->set(key, std::vector<uint8_t>(bytes, bytes + std::string(value).size()));
    return 0;
  });
}

// Waits for a value, writes at most `capacity` bytes of it and returns their number.
TT_API int tt_store_get(void* store, const char* key, char* value, int capacity) {
  return guarded("Store.get", -1, [&] {
    auto bytes = store_of(store)->get(key);
    int length = std::min(static_cast<int>(bytes.size()), capacity);
    std::copy_n(bytes.begin(), length, value);
    return length;
  });
}

// Creates a process group; all ranks call it with the same name. Gloo listens on `address`.
TT_API void* tt_group_new(void* store, const char* name, int backend, int rank, int world_size, const char* address,
                          int64_t timeout_ms) {
  return guarded<void*>("ProcessGroup", nullptr, [&]() -> void* {
    auto prefixed = c10::make_intrusive<c10d::PrefixStore>(name, store_of(store));
    [[maybe_unused]] auto timeout = std::chrono::milliseconds(timeout_ms);
#ifdef TINCTOR_NCCL
    if (backend == kNccl) {
      auto options = c10d::ProcessGroupNCCL::Options::create();
      options->timeout = timeout;
      return new Group(c10::make_intrusive<c10d::ProcessGroupNCCL>(prefixed, rank, world_size, options));
    }
#endif
#ifdef TINCTOR_GLOO
    if (backend == kGloo) {
      auto options = c10d::ProcessGroupGloo::Options::create(timeout);
      options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
      return new Group(c10::make_intrusive<c10d::ProcessGroupGloo>(prefixed, rank, world_size, options));
    }
#endif
    throw std::runtime_error("this build of libtorch has no such backend");
  });
}

TT_API void tt_group_free(void* group) { delete static_cast<Group*>(group); }

// Starts the sum (operation 0) or maximum (1) over the ranks, in place. The returned work must be waited for.
TT_API void* tt_all_reduce(void* group, void* tensor, int operation) {
  return guarded<void*>("all_reduce", nullptr, [&] {
    return new Pending(start_all_reduce(group_of(group), borrow(tensor), operation == 0 ? c10d::ReduceOp::SUM : c10d::ReduceOp::MAX));
  });
}

// Starts to copy the tensor of a rank to all others, in place.
TT_API void* tt_broadcast(void* group, void* tensor, int root) {
  return guarded<void*>("broadcast", nullptr, [&] {
    Pending pending{WorkPtr(), {borrow(tensor)}};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    pending.work = group_of(group)->broadcast(pending.tensors, options);
    return new Pending(std::move(pending));
  });
}

// Waits for the end of an operation and frees it.
TT_API int tt_work_wait(void* work) {
  std::unique_ptr<Pending> pending(static_cast<Pending*>(work));
  return guarded("collective operation", -1, [&] {
    pending->work->wait();
    return 0;
  });
}

TT_API void* tt_sum_over_ranks(void* group, void* tensor) {
  return guarded<void*>("all_reduce", nullptr, [&] { return release(sum_over_ranks(group_of(group), borrow(tensor))); });
}

#else

TT_API void* tt_store_new(const char*, int, int, int, int64_t) {
  last_error = "this libtorch was built without c10d";
  return nullptr;
}
TT_API void tt_store_free(void*) {}
TT_API int tt_store_set(void*, const char*, const char*) { return -1; }
TT_API int tt_store_get(void*, const char*, char*, int) { return -1; }
TT_API void* tt_group_new(void*, const char*, int, int, int, const char*, int64_t) { return nullptr; }
TT_API void tt_group_free(void*) {}
TT_API void* tt_all_reduce(void*, void*, int) { return nullptr; }
TT_API void* tt_broadcast(void*, void*, int) { return nullptr; }
TT_API int tt_work_wait(void*) { return -1; }
TT_API void* tt_sum_over_ranks(void*, void*) { return nullptr; }

#endif

// ---- gradient hooks -------------------------------------------------------------------------------------------------

namespace {

struct GradientHook {
  std::shared_ptr<torch::autograd::Node> accumulator;  // a parameter keeps only a weak reference
  uintptr_t key;
};

}  // namespace

// Calls `ready(state)` after each accumulation of the gradient of a leaf, on the thread of the backward pass.
TT_API void* tt_gradient_hook(void* parameter, void (*ready)(void*), void* state) {
  return guarded<void*>("gradient hook", nullptr, [&] {
    auto accumulator = torch::autograd::impl::grad_accumulator(borrow(parameter));
    if (!accumulator) throw std::runtime_error("the tensor is not a leaf that requires a gradient");
    auto key = accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
        [ready, state](const torch::autograd::variable_list& outputs, const torch::autograd::variable_list&) {
          ready(state);
          return outputs;
        }));
    return new GradientHook{std::move(accumulator), key};
  });
}

TT_API void tt_gradient_hook_free(void* handle) {
  std::unique_ptr<GradientHook> hook(static_cast<GradientHook*>(handle));
  hook->accumulator->del_post_hook(hook->key);
}
