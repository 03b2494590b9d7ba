#include "loaders/parquet/recycling_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace amp::parquet_files {
namespace {

// Smaller blocks are what the allocator underneath is good at.
constexpr int64_t kLeastBytes = int64_t{4} << 10;
// Pages and what compresses them stay below: a region that has grown large is for column chunks.
constexpr int64_t kLeastRegionBytes = (int64_t{2} << 20) + 1;
constexpr int64_t kPageBytes = int64_t{64} << 10;  // of the system, at most
constexpr int64_t kRegionBytes = int64_t{64} << 20;
// More is given back at once.
constexpr int64_t kMostKept = int64_t{128} << 20;
constexpr int64_t kAlignment = arrow::kDefaultBufferAlignment;

enum class Place { kBase, kBlock, kRegion };

Place PlaceOf(int64_t size, int64_t alignment) {
  if (size < kLeastBytes || alignment > kAlignment) return Place::kBase;
  // What is larger than a region is a block of its own.
  return size >= kLeastRegionBytes && size <= kRegionBytes ? Place::kRegion : Place::kBlock;
}

// Blocks of a class have 2^class bytes.
int ClassOf(int64_t size) { return std::bit_width(static_cast<uint64_t>(size) - 1); }
int64_t ClassBytes(int block_class) { return int64_t{1} << block_class; }

}  // namespace

RecyclingPool* RecyclingPool::Instance() {
  static auto* pool = new RecyclingPool;
  return pool;
}

Status RecyclingPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  switch (PlaceOf(size, alignment)) {
    case Place::kRegion:
      return AllocateRegion(size, out);
    case Place::kBlock:
      return AllocateBlock(size, out);
    case Place::kBase:
      break;
  }
  return base_->Allocate(size, alignment, out);
}

Status RecyclingPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                 uint8_t** ptr) {
  const Place from = PlaceOf(old_size, alignment);
  const Place to = PlaceOf(new_size, alignment);
  if (from == to) {
    if (from == Place::kBase) return base_->Reallocate(old_size, new_size, alignment, ptr);
    if (from == Place::kBlock && ClassOf(old_size) == ClassOf(new_size)) return Status::OK();
    if (from == Place::kRegion) {
      GrowRegion(*ptr, new_size);
      return Status::OK();
    }
  }
  uint8_t* moved = nullptr;
  ARROW_RETURN_NOT_OK(Allocate(new_size, alignment, &moved));
  std::memcpy(moved, *ptr, static_cast<size_t>(std::min(old_size, new_size)));
  Free(*ptr, old_size, alignment);
  *ptr = moved;
  return Status::OK();
}

void RecyclingPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  switch (PlaceOf(size, alignment)) {
    case Place::kRegion:
      return FreeRegion(buffer, size);
    case Place::kBlock:
      return FreeBlock(buffer, size);
    case Place::kBase:
      break;
  }
  base_->Free(buffer, size, alignment);
}

Status RecyclingPool::AllocateBlock(int64_t size, uint8_t** out) {
  const int block_class = ClassOf(size);
  {
    const std::lock_guard lock(mutex_);
    auto& blocks = kept_[static_cast<size_t>(block_class)];
    if (!blocks.empty()) {
      *out = blocks.back();
      blocks.pop_back();
      kept_bytes_ -= ClassBytes(block_class);
      return Status::OK();
    }
  }
  return base_->Allocate(ClassBytes(block_class), kAlignment, out);
}

void RecyclingPool::FreeBlock(uint8_t* buffer, int64_t size) {
  const int block_class = ClassOf(size);
  const int64_t bytes = ClassBytes(block_class);
  if (kept_bytes_ + bytes > kMostKept) return base_->Free(buffer, bytes, kAlignment);
  const std::lock_guard lock(mutex_);
  kept_[static_cast<size_t>(block_class)].push_back(buffer);
  kept_bytes_ += bytes;
}

// The region with the most memory, so that little is added.
Status RecyclingPool::AllocateRegion(int64_t size, uint8_t** out) {
  {
    const std::lock_guard lock(mutex_);
    if (!kept_regions_.empty()) {
      const Region region = kept_regions_.back();
      kept_regions_.pop_back();
      kept_bytes_ -= region.touched;
      region_bytes_ += std::max(size - region.touched, int64_t{0});
      touched_.emplace(region.start, std::max(size, region.touched));
      *out = region.start;
      return Status::OK();
    }
  }
  void* start = ::mmap(nullptr, static_cast<size_t>(kRegionBytes), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) return Status::OutOfMemory("no addresses for ", size, " bytes");
  *out = static_cast<uint8_t*>(start);
  const std::lock_guard lock(mutex_);
  touched_.emplace(*out, size);
  region_bytes_ += size;
  return Status::OK();
}

void RecyclingPool::GrowRegion(const uint8_t* buffer, int64_t size) {
  const std::lock_guard lock(mutex_);
  int64_t& touched = touched_.at(buffer);
  if (size <= touched) return;
  region_bytes_ += size - touched;
  touched = size;
}

void RecyclingPool::FreeRegion(uint8_t* buffer, int64_t bytes) {
  const int64_t size = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  const std::lock_guard lock(mutex_);
  const auto found = touched_.find(buffer);
  Region region{.start = buffer, .touched = found->second};
  touched_.erase(found);
  // Or all regions would in time become as large as the largest column needs.
  if (region.touched > size) {
    ::madvise(buffer + size, static_cast<size_t>(region.touched - size), MADV_DONTNEED);
    region_bytes_ -= region.touched - size;
    region.touched = size;
  }
  if (kept_bytes_ + region.touched > kMostKept) return Release(region);
  const auto place = std::upper_bound(
      kept_regions_.begin(), kept_regions_.end(), region,
      [](const Region& left, const Region& right) { return left.touched < right.touched; });
  kept_regions_.insert(place, region);
  kept_bytes_ += region.touched;
}

void RecyclingPool::Release(const Region& region) {
  ::munmap(region.start, static_cast<size_t>(kRegionBytes));
  region_bytes_ -= region.touched;
}

void RecyclingPool::Trim(int64_t bytes) {
  if (kept_bytes_ <= bytes) return;
  const std::lock_guard lock(mutex_);
  for (; !kept_regions_.empty() && kept_bytes_ > bytes; kept_regions_.pop_back()) {
    kept_bytes_ -= kept_regions_.back().touched;
    Release(kept_regions_.back());
  }
  for (int i = kClasses - 1; i >= 0; --i) {
    auto& blocks = kept_[static_cast<size_t>(i)];
    for (; !blocks.empty() && kept_bytes_ > bytes; blocks.pop_back()) {
      base_->Free(blocks.back(), ClassBytes(i), kAlignment);
      kept_bytes_ -= ClassBytes(i);
    }
  }
}

}  // namespace amp::parquet_files
