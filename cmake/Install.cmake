# `cmake --install` gives a tree that stands alone: the command, the library, the test kit, headers,
# CMake packages, and Arrow's libraries and headers along when they came from the wheel.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(AMPLOAD_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/Ampload")
set(targets ampload ampload_cli)
if(TARGET ampload_testing)
  list(APPEND targets ampload_testing)
endif()
foreach(target ${targets})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    set(origin "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  else()
    set(origin "$ORIGIN")
  endif()
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "${origin};${origin}/ampload")
endforeach()

install(TARGETS ampload EXPORT AmploadTargets)
if(TARGET ampload_testing)
  set_target_properties(ampload_testing PROPERTIES EXPORT_NAME testing)
  install(TARGETS ampload_testing EXPORT AmploadTargets)
  install(DIRECTORY testing/include/amp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()
install(TARGETS ampload_cli)
install(DIRECTORY include/amp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT AmploadTargets NAMESPACE Ampload:: DESTINATION ${AMPLOAD_CMAKE_DIR})
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

if(AMPLOAD_ARROW_FROM_WHEEL)
  # A folder of their own: another Arrow may be installed beside them.
  install(DIRECTORY "${AMPLOAD_ARROW_ROOT}/lib" "${AMPLOAD_ARROW_ROOT}/include"
          DESTINATION "${CMAKE_INSTALL_LIBDIR}/ampload/arrow")
  foreach(target ${targets})
    get_target_property(rpath ${target} INSTALL_RPATH)
    list(TRANSFORM rpath REPLACE "/ampload$" "/ampload/arrow/lib")
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "${rpath}")
  endforeach()
  install(FILES cmake/ArrowWheelTargets.cmake DESTINATION ${AMPLOAD_CMAKE_DIR})
endif()

configure_package_config_file(cmake/AmploadConfig.cmake.in AmploadConfig.cmake
                              INSTALL_DESTINATION ${AMPLOAD_CMAKE_DIR})
write_basic_package_version_file(AmploadConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/AmploadConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/AmploadConfigVersion.cmake"
        DESTINATION ${AMPLOAD_CMAKE_DIR})
