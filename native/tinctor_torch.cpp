// A C interface over libtorch. Operators are called through the dispatcher by their schema name, so one function
// reaches all of ATen, autograd and autocast included; only what the dispatcher lacks has a function of its own.
//
// Conventions
//  * A tensor handle is a TensorImpl* that owns one reference; null stands for an undefined tensor.
//  * A function that fails returns a negative number (or null) and leaves its message in tt_last_error().
//  * The same source compiles against libtorch 1.13 and 2.x.

#include "common.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Logging.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/cuda.h>
#include <torch/script.h>
#include <torch/version.h>

#ifdef TINCTOR_CUDA
#include <c10/cuda/CUDACachingAllocator.h>
#endif

#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace {

#if TT_TORCH_AT_LEAST(2, 1)
using OptionalTensor = std::optional<at::Tensor>;
#else
using OptionalTensor = c10::optional<at::Tensor>;
#endif

// Naming every frame of the C++ stack takes milliseconds an error, and the message that is passed on leaves them out.
[[maybe_unused]] const bool without_backtraces = (c10::SetStackTraceFetcher([] { return std::string(); }), true);

// A device travels as type << 8 | index, with 0xff for "no index".
c10::Device unpack_device(int64_t packed) {
  return c10::Device(static_cast<c10::DeviceType>(packed >> 8), static_cast<c10::DeviceIndex>(static_cast<int8_t>(packed & 0xff)));
}

int64_t pack_device(c10::Device device) {
  return (static_cast<int64_t>(device.type()) << 8) | static_cast<uint8_t>(device.index());
}

enum Tag : int32_t {
  kNone, kTensor, kInt, kDouble, kBool, kString, kDevice, kGenerator, kIntList, kDoubleList, kBoolList, kTensorList
};

// One argument or result. Lists point to the caller's memory on the way in (64-bit items), and on the way out to
// memory that is freed with tt_free.
struct Value {
  int32_t tag;
  int32_t length;
  union {
    int64_t i;
    double d;
    void* p;
  };
};

const c10::Type* without_optional(const c10::TypePtr& type) {
  return type->kind() == c10::TypeKind::OptionalType ? type->castRaw<c10::OptionalType>()->getElementType().get() : type.get();
}

bool is_list_of(const c10::Type* type, c10::TypeKind element) {
  return type->kind() == c10::TypeKind::ListType && type->castRaw<c10::ListType>()->getElementType()->kind() == element;
}

c10::IValue to_tensor_list(const Value& value, bool optional) {
  auto tensors = borrow_all(static_cast<void**>(value.p), value.length);
  if (!optional) return c10::List<at::Tensor>(c10::ArrayRef<at::Tensor>(tensors));
  c10::List<OptionalTensor> list;
  for (auto& tensor : tensors) list.push_back(tensor.defined() ? OptionalTensor(tensor) : OptionalTensor());
  return list;
}

// Turns an argument into what its schema asks for: an integer given for a float is widened, and so on.
c10::IValue to_ivalue(const Value& value, const c10::TypePtr& schema_type) {
  auto type = without_optional(schema_type);
  auto integers = static_cast<const int64_t*>(value.p);
  switch (value.tag) {
    case kNone:
      return c10::IValue();
    case kTensor:
      return borrow(value.p);
    case kInt:
      if (type->kind() == c10::TypeKind::FloatType) return static_cast<double>(value.i);
      return value.i;
    case kDouble:
      return value.d;
    case kBool:
      return value.i != 0;
    case kString:
      return std::string(static_cast<const char*>(value.p), value.length);
    case kDevice:
      return unpack_device(value.i);
    case kGenerator:
      return *static_cast<at::Generator*>(value.p);
    case kIntList:
      if (is_list_of(type, c10::TypeKind::FloatType)) return std::vector<double>(integers, integers + value.length);
      return c10::List<int64_t>(c10::ArrayRef<int64_t>(integers, value.length));
    case kDoubleList:
      return c10::List<double>(c10::ArrayRef<double>(static_cast<const double*>(value.p), value.length));
    case kBoolList: {
      c10::List<bool> list;
      for (int i = 0; i < value.length; i++) list.push_back(integers[i] != 0);
      return list;
    }
    case kTensorList:
      return to_tensor_list(value, is_list_of(type, c10::TypeKind::OptionalType));
  }
  throw std::runtime_error("unknown argument tag " + std::to_string(value.tag));
}

template <typename Item>
Value list_value(Tag tag, const std::vector<Item>& items) {
  Value value{tag, static_cast<int32_t>(items.size()), {0}};
  value.p = std::malloc(items.size() * sizeof(Item) + 1);
  std::memcpy(value.p, items.data(), items.size() * sizeof(Item));
  return value;
}

Value to_value(c10::IValue&& ivalue) {
  Value value{kNone, 0, {0}};
  if (ivalue.isTensor()) {
    value.tag = kTensor;
    value.p = release(std::move(ivalue).toTensor());
  } else if (ivalue.isInt()) {
    value.tag = kInt;
    value.i = ivalue.toInt();
  } else if (ivalue.isDouble()) {
    value.tag = kDouble;
    value.d = ivalue.toDouble();
  } else if (ivalue.isBool()) {
    value.tag = kBool;
    value.i = ivalue.toBool();
  } else if (ivalue.isTensorList()) {
    std::vector<void*> handles;
    for (at::Tensor& tensor : ivalue.toTensorVector()) handles.push_back(release(std::move(tensor)));
    return list_value(kTensorList, handles);
  } else if (ivalue.isIntList()) {
    return list_value(kIntList, ivalue.toIntVector());
  } else if (ivalue.isDoubleList()) {
    return list_value(kDoubleList, ivalue.toDoubleVector());
  } else if (!ivalue.isNone()) {
    throw std::runtime_error("a result of type " + ivalue.tagKind() + " is not supported");
  }
  return value;
}

void free_value(Value& value) {
  if (value.tag == kTensor && value.p) TensorPtr::reclaim(static_cast<c10::TensorImpl*>(value.p));
  if (value.tag == kTensorList)
    for (int i = 0; i < value.length; i++) TensorPtr::reclaim(static_cast<c10::TensorImpl**>(value.p)[i]);
  if (value.tag >= kIntList) std::free(value.p);
}

// Hands the values on the stack to the caller; on failure nothing is handed over and nothing leaks.
int write_results(torch::jit::Stack& stack, Value* results, int capacity) {
  if (static_cast<int>(stack.size()) > capacity)
    throw std::runtime_error("returns " + std::to_string(stack.size()) + " values, there is room for " + std::to_string(capacity));
  int count = 0;
  try {
    for (auto& item : stack) {
      results[count] = to_value(std::move(item));
      count++;
    }
  } catch (...) {
    while (count > 0) free_value(results[--count]);
    throw;
  }
  return count;
}

const char* kept(std::string text) {
  thread_local std::string storage;
  storage = std::move(text);
  return storage.c_str();
}

}  // namespace

TT_API const char* tt_last_error() { return last_error.c_str(); }
TT_API void tt_free(void* memory) { std::free(memory); }

// ---- operators ------------------------------------------------------------------------------------------------------

// A handle for an operator such as ("aten::add", "Tensor"); it lives as long as the process.
TT_API const void* tt_operator(const char* name, const char* overload) {
  return guarded<const void*>(name, nullptr, [&]() -> const void* {
    auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    if (!found) throw std::runtime_error(std::string("libtorch " TORCH_VERSION " has no such operator with the overload '") + overload + "'");
    return new c10::OperatorHandle(*found);
  });
}

// Calls an operator; arguments left out at the end take their defaults from the schema. Returns the number of results.
TT_API int tt_call(const void* op, const Value* arguments, int count, Value* results, int capacity) {
  const auto& handle = *static_cast<const c10::OperatorHandle*>(op);
  return guarded(handle.schema().name().c_str(), -1, [&] {
    const auto& schema = handle.schema().arguments();
    if (count > static_cast<int>(schema.size()))
      throw std::runtime_error("takes " + std::to_string(schema.size()) + " arguments, got " + std::to_string(count));
    torch::jit::Stack stack;
    stack.reserve(schema.size());
    for (int i = 0; i < count; i++) stack.push_back(to_ivalue(arguments[i], schema[i].type()));
    for (size_t i = count; i < schema.size(); i++) {
      if (!schema[i].default_value()) throw std::runtime_error("argument '" + schema[i].name() + "' is missing");
      stack.push_back(*schema[i].default_value());
    }
    handle.callBoxed(stack);
    return write_results(stack, results, capacity);
  });
}

// ---- tensors --------------------------------------------------------------------------------------------------------

struct TensorInfo {
  int64_t device;
  int64_t numel;
  const int64_t* sizes;
  const int64_t* strides;
  int32_t ndim;
  int8_t dtype;
  int8_t requires_grad;
  int8_t is_leaf;
  int8_t layout;
};

TT_API void tt_tensor_free(void* handle) { TensorPtr::reclaim(static_cast<c10::TensorImpl*>(handle)); }

TT_API int tt_tensor_info(void* handle, TensorInfo* info) {
  return guarded("tensor", -1, [&] {
    at::Tensor t = borrow(handle);
    const int64_t* strides = t.layout() == c10::kStrided ? t.strides().data() : nullptr;
    *info = {pack_device(t.device()), t.numel(), t.sizes().data(), strides, static_cast<int32_t>(t.dim()),
             static_cast<int8_t>(t.scalar_type()), static_cast<int8_t>(t.requires_grad()), static_cast<int8_t>(t.is_leaf()),
             static_cast<int8_t>(t.layout())};
    return 0;
  });
}

TT_API void* tt_tensor_data_ptr(void* handle) {
  return guarded<void*>("data_ptr", nullptr, [&] { return borrow(handle).data_ptr(); });
}

TT_API int tt_tensor_set_requires_grad(void* handle, int requires_grad) {
  return guarded("requires_grad_", -1, [&] {
    borrow(handle).set_requires_grad(requires_grad != 0);
    return 0;
  });
}

TT_API void* tt_tensor_grad(void* handle) {
  return guarded<void*>("grad", nullptr, [&] { return release(borrow(handle).grad()); });
}

TT_API int tt_tensor_set_grad(void* handle, void* grad) {
  return guarded("grad", -1, [&] {
    borrow(handle).mutable_grad() = borrow(grad);
    return 0;
  });
}

// ---- autograd -------------------------------------------------------------------------------------------------------

TT_API int tt_backward(void* const* roots, void* const* gradients, int count, void* const* inputs, int input_count,
                       int retain_graph, int create_graph) {
  return guarded("backward", -1, [&] {
    torch::autograd::backward(borrow_all(roots, count), borrow_all(gradients, count), retain_graph != 0, create_graph != 0,
                              borrow_all(inputs, input_count));
    return 0;
  });
}

TT_API int tt_grad(void* const* outputs, void* const* gradients, int count, void* const* inputs, int input_count,
                   int retain_graph, int create_graph, int allow_unused, void** results) {
  return guarded("autograd.grad", -1, [&] {
    auto grads = torch::autograd::grad(borrow_all(outputs, count), borrow_all(inputs, input_count), borrow_all(gradients, count),
                                       retain_graph != 0, create_graph != 0, allow_unused != 0);
    for (int i = 0; i < input_count; i++) results[i] = release(grads[i]);
    return 0;
  });
}

// Work from tensors to one tensor that the graph may ask for again. The handles it is given are its own to free; it returns a
// handle that it gives away, or null after tt_fail().
using Body = void* (*)(void* state, void* const* inputs, int count);

namespace {

// Autocast keeps the weights that it has cast: those of an unrecorded run have no gradient to give to the recorded one.
struct NoAutocastCache {
  NoAutocastCache() : before(at::autocast::is_autocast_cache_enabled()) { at::autocast::set_autocast_cache_enabled(false); }
  ~NoAutocastCache() { at::autocast::set_autocast_cache_enabled(before); }
  bool before;
};

struct Work : c10::intrusive_ptr_target {
  Work(Body body, void* state, void (*forget)(void*)) : body(body), state(state), forget(forget) {}
  ~Work() override { forget(state); }

  at::Tensor operator()(const std::vector<at::Tensor>& inputs) const {
    NoAutocastCache exact;
    std::vector<void*> handles;
    for (auto& input : inputs) handles.push_back(release(input));
    void* result = body(state, handles.data(), static_cast<int>(handles.size()));
    if (!result) throw std::runtime_error(last_error);
    return at::Tensor(TensorPtr::reclaim(static_cast<c10::TensorImpl*>(result)));
  }

  Body body;
  void* state;
  void (*forget)(void*);
};

// Keeps the inputs of the work alone, and repeats it when gradients are asked for.
struct Checkpoint : torch::autograd::Node {
  explicit Checkpoint(c10::intrusive_ptr<Work> work) : work(std::move(work)) {}

  void release_variables() override {
    for (auto& variable : saved) variable.reset_data();
  }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    torch::autograd::variable_list inputs, leaves;
    for (auto& variable : saved) {
      auto value = variable.unpack();
      // A leaf, such as a parameter that the work itself holds, stays what it is, so that the work's gradient reaches it.
      inputs.push_back(value.is_leaf() ? value : value.detach().set_requires_grad(true));
      if (value.requires_grad()) leaves.push_back(inputs.back());
    }
    at::Tensor output;
    {
      at::AutoGradMode record(true);
      output = (*work)(inputs);
    }
    auto found = torch::autograd::grad({output}, leaves, gradients, {}, false, /*allow_unused=*/true);
    torch::autograd::variable_list results;
    size_t next = 0;
    for (auto& input : inputs) results.push_back(input.requires_grad() ? found[next++] : at::Tensor());
    return results;
  }

  c10::intrusive_ptr<Work> work;
  std::vector<torch::autograd::SavedVariable> saved;
};

at::Tensor checkpoint(c10::intrusive_ptr<Work> work, const std::vector<at::Tensor>& inputs) {
  std::shared_ptr<Checkpoint> node(new Checkpoint(work), torch::autograd::deleteNode);
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));
  for (auto& input : inputs) node->saved.emplace_back(input, /*is_output=*/false);
  at::Tensor output;
  {
    at::AutoGradMode record(false);
    output = (*work)(inputs);
  }
  torch::autograd::set_history(output, node);
  return output;
}

}  // namespace

TT_API void tt_fail(const char* message) { last_error = message; }

TT_API void* tt_checkpoint(Body body, void* state, void (*forget)(void*), void* const* inputs, int count) {
  return guarded("checkpoint", static_cast<void*>(nullptr), [&] {
    auto work = c10::make_intrusive<Work>(body, state, forget);
    return release(checkpoint(work, borrow_all(inputs, count)));
  });
}

TT_API int tt_grad_enabled() { return at::GradMode::is_enabled(); }
TT_API void tt_set_grad_enabled(int enabled) { at::GradMode::set_enabled(enabled != 0); }
TT_API void* tt_inference_mode_enter(int enabled) { return new c10::InferenceMode(enabled != 0); }
TT_API void tt_inference_mode_exit(void* guard) { delete static_cast<c10::InferenceMode*>(guard); }

// ---- autocast -------------------------------------------------------------------------------------------------------

#if TT_TORCH_AT_LEAST(2, 4)
TT_API int tt_autocast_enabled(int device) { return at::autocast::is_autocast_enabled(static_cast<c10::DeviceType>(device)); }
TT_API int tt_autocast_dtype(int device) {
  return static_cast<int>(at::autocast::get_autocast_dtype(static_cast<c10::DeviceType>(device)));
}
TT_API void tt_autocast_set(int device, int enabled, int dtype) {
  at::autocast::set_autocast_enabled(static_cast<c10::DeviceType>(device), enabled != 0);
  at::autocast::set_autocast_dtype(static_cast<c10::DeviceType>(device), static_cast<at::ScalarType>(dtype));
}
#else
TT_API int tt_autocast_enabled(int device) { return device == 0 ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled(); }
TT_API int tt_autocast_dtype(int device) {
  return static_cast<int>(device == 0 ? at::autocast::get_autocast_cpu_dtype() : at::autocast::get_autocast_gpu_dtype());
}
TT_API void tt_autocast_set(int device, int enabled, int dtype) {
  if (device == 0) {
    at::autocast::set_cpu_enabled(enabled != 0);
    at::autocast::set_autocast_cpu_dtype(static_cast<at::ScalarType>(dtype));
  } else {
    at::autocast::set_enabled(enabled != 0);
    at::autocast::set_autocast_gpu_dtype(static_cast<at::ScalarType>(dtype));
  }
}
#endif
TT_API void tt_autocast_enter() { at::autocast::increment_nesting(); }
// The low-precision copies of the weights are kept until the outermost region ends.
TT_API void tt_autocast_exit() {
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

// ---- random numbers -------------------------------------------------------------------------------------------------

TT_API void* tt_generator_default(int64_t device) {
  return guarded<void*>("default_generator", nullptr,
                        [&] { return new at::Generator(at::globalContext().defaultGenerator(unpack_device(device))); });
}

TT_API void* tt_generator_new(int64_t device) {
  return guarded<void*>("Generator", nullptr, [&]() -> void* {
    auto where = unpack_device(device);
    if (where.is_cpu()) return new at::Generator(at::make_generator<at::CPUGeneratorImpl>());
    // A clone: the constructors of other devices' generators live in headers that a CPU build lacks.
    return new at::Generator(at::globalContext().defaultGenerator(where).clone());
  });
}

TT_API void tt_generator_free(void* generator) { delete static_cast<at::Generator*>(generator); }

TT_API int tt_generator_manual_seed(void* generator, uint64_t seed) {
  return guarded("manual_seed", -1, [&] {
    auto& g = *static_cast<at::Generator*>(generator);
    std::lock_guard<std::mutex> lock(g.mutex());
    g.set_current_seed(seed);
    return 0;
  });
}

TT_API uint64_t tt_generator_initial_seed(void* generator) { return static_cast<at::Generator*>(generator)->current_seed(); }

TT_API void* tt_generator_get_state(void* generator) {
  return guarded<void*>("get_state", nullptr, [&] {
    auto& g = *static_cast<at::Generator*>(generator);
    std::lock_guard<std::mutex> lock(g.mutex());
    return release(g.get_state());
  });
}

TT_API int tt_generator_set_state(void* generator, void* state) {
  return guarded("set_state", -1, [&] {
    auto& g = *static_cast<at::Generator*>(generator);
    std::lock_guard<std::mutex> lock(g.mutex());
    g.set_state(borrow(state));
    return 0;
  });
}

// Seeds the default generators of the CPU and of every other device.
TT_API int tt_manual_seed(uint64_t seed) {
  return guarded("manual_seed", -1, [&] {
    at::manual_seed(seed);
    return 0;
  });
}

// ---- devices, threads, versions -------------------------------------------------------------------------------------

TT_API const char* tt_version() { return TORCH_VERSION; }
TT_API const char* tt_show_config() { return kept(at::show_config()); }
TT_API int tt_get_num_threads() { return at::get_num_threads(); }
TT_API int tt_set_num_threads(int threads) {
  return guarded("set_num_threads", -1, [&] {
    at::set_num_threads(threads);
    return 0;
  });
}
TT_API int tt_get_num_interop_threads() { return at::get_num_interop_threads(); }
TT_API int tt_set_num_interop_threads(int threads) {
  return guarded("set_num_interop_threads", -1, [&] {
    at::set_num_interop_threads(threads);
    return 0;
  });
}
TT_API int tt_cuda_device_count() {
  return guarded("cuda.device_count", 0, [&] { return static_cast<int>(torch::cuda::device_count()); });
}
TT_API int tt_cuda_synchronize(int index) {
  return guarded("cuda.synchronize", -1, [&] {
    torch::cuda::synchronize(index);
    return 0;
  });
}

// Bytes held by tensors (now, peak) and reserved by the allocator (now, peak) on a CUDA device.
TT_API int tt_cuda_memory_stats(int index, int64_t* statistics) {
  return guarded("cuda.memory_stats", -1, [&] {
#ifdef TINCTOR_CUDA
    auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(index));
    statistics[0] = stats.allocated_bytes[0].current;
    statistics[1] = stats.allocated_bytes[0].peak;
    statistics[2] = stats.reserved_bytes[0].current;
    statistics[3] = stats.reserved_bytes[0].peak;
#else
    TORCH_CHECK(false, "this libtorch is built without CUDA (device ", index, ", ", static_cast<void*>(statistics), ")");
#endif
    return 0;
  });
}

TT_API int tt_cuda_empty_cache() {
  return guarded("cuda.empty_cache", -1, [&] {
#ifdef TINCTOR_CUDA
    c10::cuda::CUDACachingAllocator::emptyCache();
#endif
    return 0;
  });
}

TT_API int tt_use_deterministic_algorithms(int enabled, int warn_only) {
  return guarded("use_deterministic_algorithms", -1, [&] {
    at::globalContext().setDeterministicAlgorithms(enabled != 0, warn_only != 0);
    at::globalContext().setDeterministicCuDNN(enabled != 0);
    return 0;
  });
}
TT_API void tt_set_cudnn_benchmark(int enabled) { at::globalContext().setBenchmarkCuDNN(enabled != 0); }
TT_API void tt_set_allow_tf32(int enabled) {
  at::globalContext().setAllowTF32CuBLAS(enabled != 0);
  at::globalContext().setAllowTF32CuDNN(enabled != 0);
}
TT_API int tt_set_flush_denormal(int enabled) { return at::globalContext().setFlushDenormal(enabled != 0); }

// ---- TorchScript ----------------------------------------------------------------------------------------------------

TT_API void* tt_script_load(const char* path, int64_t device) {
  return guarded<void*>("jit.load", nullptr,
                        [&] { return new torch::jit::Module(torch::jit::load(path, unpack_device(device))); });
}

TT_API void tt_script_free(void* module) { delete static_cast<torch::jit::Module*>(module); }

TT_API int tt_script_train(void* module, int training) {
  return guarded("jit.train", -1, [&] {
    static_cast<torch::jit::Module*>(module)->train(training != 0);
    return 0;
  });
}

// Lays the elements of tuples and lists side by side.
static void flatten(c10::IValue value, torch::jit::Stack& stack) {
  if (value.isTuple())
    for (const auto& element : value.toTupleRef().elements()) flatten(element, stack);
  else if (value.isTensorList())
    for (at::Tensor& tensor : value.toTensorVector()) stack.push_back(std::move(tensor));
  else
    stack.push_back(std::move(value));
}

// Calls a method of a script module with tensors, then booleans; tuples and lists come back as their elements. Returns the number of
// results.
TT_API int tt_script_call(void* module, const char* method, void* const* inputs, int count, const uint8_t* flags, int flag_count,
                          Value* results, int capacity) {
  return guarded("jit.forward", -1, [&] {
    torch::jit::Stack arguments;
    for (auto& tensor : borrow_all(inputs, count)) arguments.emplace_back(std::move(tensor));
    for (int i = 0; i < flag_count; i++) arguments.emplace_back(flags[i] != 0);
    c10::IValue output = static_cast<torch::jit::Module*>(module)->get_method(method)(std::move(arguments));
    torch::jit::Stack stack;
    flatten(std::move(output), stack);
    return write_results(stack, results, capacity);
  });
}
