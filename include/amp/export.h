#pragma once

/// Marks what `libampload.so` shows; everything else in it is hidden.
#define AMP_EXPORT __attribute__((visibility("default")))
