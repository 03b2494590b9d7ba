#pragma once

#include <arrow/memory_pool.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

namespace amp::parquet_files {

/// Memory for encoding. Column chunks grow to many megabytes and are gone with their row group; an
/// allocator gives such memory back to the system, and getting it again, page by page and zeroed,
/// took a third of the time of encoding. Here blocks are kept for the next row group, until `Trim`.
///
/// What grows large lies in a region of addresses with room for all that a column chunk usually
/// becomes: it grows where it is, without being copied, and takes only the memory that it has used.
/// Thread-safe.
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

  int64_t bytes_allocated() const override { return base_->bytes_allocated() + region_bytes_; }
  int64_t max_memory() const override { return base_->max_memory(); }
  int64_t total_bytes_allocated() const override { return base_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return base_->num_allocations(); }
  std::string backend_name() const override { return base_->backend_name(); }

 private:
  static constexpr int kClasses = 48;

  /// A region that nobody uses now, with what of it has been used.
  struct Region {
    uint8_t* start = nullptr;
    int64_t touched = 0;
  };

  RecyclingPool() : base_(arrow::default_memory_pool()) {}
  Status AllocateBlock(int64_t size, uint8_t** out);
  void FreeBlock(uint8_t* buffer, int64_t size);
  Status AllocateRegion(int64_t size, uint8_t** out);
  void GrowRegion(const uint8_t* buffer, int64_t size);
  void FreeRegion(uint8_t* buffer, int64_t bytes);
  void Release(const Region& region);

  arrow::MemoryPool* const base_;
  std::mutex mutex_;
  std::array<std::vector<uint8_t*>, kClasses> kept_;     // by the logarithm of their size
  std::vector<Region> kept_regions_;                     // those with the most touched last
  std::unordered_map<const uint8_t*, int64_t> touched_;  // of regions in use
  std::atomic<int64_t> kept_bytes_ = 0;
  std::atomic<int64_t> region_bytes_ = 0;  // touched of all regions
};

}  // namespace amp::parquet_files
