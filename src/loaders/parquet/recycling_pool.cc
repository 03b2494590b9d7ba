#include "loaders/parquet/recycling_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace amp::parquet_files {
namespace {

// Smaller blocks are what the allocator underneath is good at.
constexpr int64_t kLeastBytes = int64_t{4} << 10;
// More is given back at once.
constexpr int64_t kMostKept = int64_t{512} << 20;
constexpr int64_t kAlignment = arrow::kDefaultBufferAlignment;

// Blocks of a class have 2^class bytes.
int ClassOf(int64_t size) { return std::bit_width(static_cast<uint64_t>(size) - 1); }

bool IsKept(int64_t size, int64_t alignment) {
  return size >= kLeastBytes && alignment <= kAlignment;
}

// What is allocated for `size`.
int64_t Capacity(int64_t size, int64_t alignment) {
  return IsKept(size, alignment) ? int64_t{1} << ClassOf(size) : size;
}

}  // namespace

RecyclingPool* RecyclingPool::Instance() {
  static auto* pool = new RecyclingPool;
  return pool;
}

Status RecyclingPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  if (!IsKept(size, alignment)) return base_->Allocate(size, alignment, out);
  const int64_t capacity = Capacity(size, alignment);
  {
    const std::lock_guard lock(mutex_);
    auto& blocks = kept_[static_cast<size_t>(ClassOf(size))];
    if (!blocks.empty()) {
      *out = blocks.back();
      blocks.pop_back();
      kept_bytes_ -= capacity;
      return Status::OK();
    }
  }
  return base_->Allocate(capacity, kAlignment, out);
}

Status RecyclingPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                 uint8_t** ptr) {
  const bool was_kept = IsKept(old_size, alignment);
  const bool is_kept = IsKept(new_size, alignment);
  if (!was_kept && !is_kept) return base_->Reallocate(old_size, new_size, alignment, ptr);
  if (was_kept && is_kept && ClassOf(old_size) == ClassOf(new_size)) return Status::OK();
  uint8_t* moved = nullptr;
  ARROW_RETURN_NOT_OK(Allocate(new_size, alignment, &moved));
  std::memcpy(moved, *ptr, static_cast<size_t>(std::min(old_size, new_size)));
  Free(*ptr, old_size, alignment);
  *ptr = moved;
  return Status::OK();
}

void RecyclingPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  if (!IsKept(size, alignment)) return base_->Free(buffer, size, alignment);
  const int64_t capacity = Capacity(size, alignment);
  if (kept_bytes_ + capacity <= kMostKept) {
    const std::lock_guard lock(mutex_);
    kept_[static_cast<size_t>(ClassOf(size))].push_back(buffer);
    kept_bytes_ += capacity;
    return;
  }
  base_->Free(buffer, capacity, kAlignment);
}

void RecyclingPool::Trim(int64_t bytes) {
  if (kept_bytes_ <= bytes) return;
  const std::lock_guard lock(mutex_);
  for (int i = kClasses - 1; i >= 0; --i) {
    auto& blocks = kept_[static_cast<size_t>(i)];
    for (; !blocks.empty() && kept_bytes_ > bytes; blocks.pop_back()) {
      base_->Free(blocks.back(), int64_t{1} << i, kAlignment);
      kept_bytes_ -= int64_t{1} << i;
    }
  }
}

}  // namespace amp::parquet_files
