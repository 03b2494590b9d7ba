# Compiler flags, sanitizers, ccache and mold.

find_program(AMPLOAD_CCACHE ccache)
if(AMPLOAD_CCACHE)
  # Precompiled headers: their time stamps must not count.
  set(ENV{CCACHE_SLOPPINESS} "pch_defines,time_macros,include_file_mtime,include_file_ctime")
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${AMPLOAD_CCACHE})
endif()
find_program(AMPLOAD_MOLD mold)
if(AMPLOAD_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of gcc 12 in its own and Arrow's headers when optimising.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
                      -Wno-array-bounds -fpch-preprocess)
else()
  add_compile_options(-Wno-deprecated-declarations -Xclang -fno-pch-timestamp)
endif()
if(AMPLOAD_SANITIZE)
  add_compile_options(-fsanitize=${AMPLOAD_SANITIZE} -fno-omit-frame-pointer -O1
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${AMPLOAD_SANITIZE})
endif()
