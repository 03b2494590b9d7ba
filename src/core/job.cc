#include "amp/job.h"

namespace amp {

JobSource::~JobSource() = default;

}  // namespace amp
