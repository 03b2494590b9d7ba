# The installed tree alone must do: a program that finds it with find_package, builds and runs.
file(REMOVE_RECURSE "${WORK_DIR}")
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${out}")
  endif()
endfunction()
run(${CMAKE_COMMAND} --install "${BUILD_DIR}" --prefix "${WORK_DIR}/prefix")
# Moved, so that nothing can point back to where it was installed.
file(RENAME "${WORK_DIR}/prefix" "${WORK_DIR}/moved")
run("${WORK_DIR}/moved/bin/ampload" loaders)
run("${WORK_DIR}/moved/bin/ampload" demo)
run(${CMAKE_COMMAND} -S "${SOURCE_DIR}/consumer" -B "${WORK_DIR}/build" -G Ninja
    "-DCMAKE_PREFIX_PATH=${WORK_DIR}/moved")
run(${CMAKE_COMMAND} --build "${WORK_DIR}/build")
run("${WORK_DIR}/build/consumer" "lmdb:${WORK_DIR}/data")
