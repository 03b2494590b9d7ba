#include "amp/stream_source.h"

namespace amp {

StreamConnection::~StreamConnection() = default;
StreamSource::~StreamSource() = default;

}  // namespace amp
