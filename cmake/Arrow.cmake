# Arrow C++ as imported targets: Arrow::arrow, Arrow::compute, Arrow::acero, Arrow::dataset,
# Arrow::flight, Parquet::parquet.
#
# An installed Arrow (find_package) is used when it is recent enough; else the libraries and headers
# inside the pinned pyarrow wheel, which has no CMake package of its own.

set(AMPLOAD_ARROW_MINIMUM 22.0)
set(AMPLOAD_ARROW_FROM_WHEEL OFF)

find_package(Arrow ${AMPLOAD_ARROW_MINIMUM} CONFIG QUIET)

function(ampload_alias_installed alias target)
  add_library(${alias} INTERFACE IMPORTED GLOBAL)
  target_link_libraries(${alias} INTERFACE ${target})
endfunction()

if(Arrow_FOUND)
  message(STATUS "Arrow ${Arrow_VERSION}: installed")
  find_package(ArrowCompute CONFIG REQUIRED)
  find_package(ArrowAcero CONFIG REQUIRED)
  find_package(ArrowDataset CONFIG REQUIRED)
  find_package(Parquet CONFIG REQUIRED)
  find_package(ArrowFlight CONFIG REQUIRED)
  ampload_alias_installed(Arrow::arrow Arrow::arrow_shared)
  ampload_alias_installed(Arrow::compute ArrowCompute::arrow_compute_shared)
  ampload_alias_installed(Arrow::acero ArrowAcero::arrow_acero_shared)
  ampload_alias_installed(Arrow::dataset ArrowDataset::arrow_dataset_shared)
  ampload_alias_installed(Parquet::parquet Parquet::parquet_shared)
  ampload_alias_installed(Arrow::flight ArrowFlight::arrow_flight_shared)
  return()
endif()

set(AMPLOAD_ARROW_FROM_WHEEL ON)
set(AMPLOAD_ARROW_ROOT "${PROJECT_SOURCE_DIR}/.deps/arrow" CACHE PATH
    "Where the pyarrow wheel's libraries and headers are unpacked")
find_package(Python3 COMPONENTS Interpreter REQUIRED)
execute_process(
  COMMAND ${Python3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/cmake/fetch_arrow_wheel.py"
          "${AMPLOAD_ARROW_ROOT}"
  COMMAND_ERROR_IS_FATAL ANY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             "${PROJECT_SOURCE_DIR}/cmake/arrow-wheel.txt")
message(STATUS "Arrow: from the pinned pyarrow wheel, ${AMPLOAD_ARROW_ROOT}")

include("${CMAKE_CURRENT_LIST_DIR}/ArrowWheelTargets.cmake")
ampload_arrow_wheel_targets("${AMPLOAD_ARROW_ROOT}")
