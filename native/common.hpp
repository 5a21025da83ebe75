// Shared by the C++ files of the C interface: error handling and tensor handles.
#pragma once

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <torch/version.h>

#include <string>
#include <vector>

#define TT_API extern "C" __attribute__((visibility("default")))
#define TT_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

inline thread_local std::string last_error;

// Runs `body`; a C++ exception becomes `failure`, with its message kept for tt_last_error().
template <typename Result, typename Body>
Result guarded(const char* where, Result failure, Body&& body) {
  try {
    return body();
  } catch (const c10::Error& e) {
    last_error = std::string(where) + ": " + e.what_without_backtrace();
  } catch (const std::exception& e) {
    last_error = std::string(where) + ": " + e.what();
  } catch (...) {
    last_error = std::string(where) + ": unknown native exception";
  }
  return failure;
}

using TensorPtr = c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>;

// A new reference to the tensor behind a handle.
inline at::Tensor borrow(void* handle) {
  return handle ? at::Tensor(TensorPtr::reclaim_copy(static_cast<c10::TensorImpl*>(handle))) : at::Tensor();
}

// Moves a tensor out into a handle that the caller frees.
inline void* release(at::Tensor tensor) { return tensor.defined() ? tensor.unsafeReleaseTensorImpl() : nullptr; }

inline std::vector<at::Tensor> borrow_all(void* const* handles, int64_t count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(count);
  for (int64_t i = 0; i < count; i++) tensors.push_back(borrow(handles[i]));
  return tensors;
}
