#include "core/uuid.h"

#include <fmt/format.h>

#include <cstdint>
#include <random>

namespace amp {
namespace {

std::mt19937_64 Seeded() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

// A child process that was forked would draw the same numbers; nothing here forks without exec.
std::string NewUuid() {
  thread_local std::mt19937_64 generator = Seeded();
  const uint64_t high = generator();
  const uint64_t low = generator();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                     high & 0xFFF, 0x8000 | ((low >> 48) & 0x3FFF), low & 0xFFFFFFFFFFFF);
}

}  // namespace amp
