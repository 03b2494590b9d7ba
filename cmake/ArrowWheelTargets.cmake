# Imported targets over the libraries and headers of a pyarrow wheel that lie in ROOT/lib and
# ROOT/include. Used in the build, and installed for find_package(Ampload).

function(ampload_arrow_wheel_target name library root)
  if(TARGET ${name})
    return()
  endif()
  file(GLOB file "${root}/lib/lib${library}.so.*")
  if(NOT file)
    message(FATAL_ERROR "lib${library}.so.* is missing in ${root}/lib")
  endif()
  list(GET file 0 file)
  get_filename_component(soname "${file}" NAME)
  add_library(${name} SHARED IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES
    IMPORTED_LOCATION "${file}"
    IMPORTED_SONAME "${soname}"
    INTERFACE_INCLUDE_DIRECTORIES "${root}/include"
    INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()

function(ampload_arrow_wheel_targets root)
  find_package(Threads REQUIRED)
  ampload_arrow_wheel_target(Arrow::arrow arrow "${root}" Threads::Threads)
  ampload_arrow_wheel_target(Arrow::compute arrow_compute "${root}" Arrow::arrow)
  ampload_arrow_wheel_target(Parquet::parquet parquet "${root}" Arrow::arrow)
  ampload_arrow_wheel_target(Arrow::acero arrow_acero "${root}" Arrow::compute)
  ampload_arrow_wheel_target(Arrow::dataset arrow_dataset "${root}" Arrow::acero Parquet::parquet)
  ampload_arrow_wheel_target(Arrow::flight arrow_flight "${root}" Arrow::arrow)
endfunction()
