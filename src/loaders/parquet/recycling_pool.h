#pragma once

#include <arrow/memory_pool.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

namespace amp::parquet_files {

/// Memory for encoding. Column chunks grow to many megabytes and are gone with their row group; an
/// allocator gives such memory back to the system, and getting it again, page by page and zeroed,
/// took a third of the time of encoding. Here large blocks are kept for the next row group, until
/// `Trim`. Thread-safe.
class AMP_EXPORT RecyclingPool final : public arrow::MemoryPool {
 public:
  /// The process's own; never destroyed.
  static RecyclingPool* Instance();

  using arrow::MemoryPool::Allocate;
  using arrow::MemoryPool::Free;
  using arrow::MemoryPool::Reallocate;
  Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment, uint8_t** ptr) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;
  void ReleaseUnused() override { Trim(0); }

  /// Keeps at most so many bytes that nobody uses.
  void Trim(int64_t bytes);
  int64_t kept_bytes() const { return kept_bytes_; }

  int64_t bytes_allocated() const override { return base_->bytes_allocated(); }
  int64_t max_memory() const override { return base_->max_memory(); }
  int64_t total_bytes_allocated() const override { return base_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return base_->num_allocations(); }
  std::string backend_name() const override { return base_->backend_name(); }

 private:
  static constexpr int kClasses = 48;

  RecyclingPool() : base_(arrow::default_memory_pool()) {}

  arrow::MemoryPool* const base_;
  std::mutex mutex_;
  std::array<std::vector<uint8_t*>, kClasses> kept_;  // by the logarithm of their size
  std::atomic<int64_t> kept_bytes_ = 0;
};

}  // namespace amp::parquet_files
