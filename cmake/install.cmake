# What is installed: public headers, both libraries, the command with its completions, man pages, and how CMake and
# pkg-config find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS copal copal_static EXPORT copal)
if(TARGET copal_command)
  install(TARGETS copal_command)
endif()
install(DIRECTORY include/copal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

foreach(page copal.1 libcopal.3)
  if(EXISTS ${PROJECT_SOURCE_DIR}/docs/man/${page})
    string(REGEX MATCH "[0-9]$" section ${page})
    install(FILES docs/man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endif()
endforeach()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/copal)
install(EXPORT copal NAMESPACE copal:: FILE copal-config.cmake DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/copal-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/copal-config-version.cmake DESTINATION ${package_folder})

# Relative to the file's own place, so that the installed tree can be moved.
file(RELATIVE_PATH prefix_from_pkgconfig ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/copal.pc.in copal.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/copal.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# Completions are printed by the command that has been built, where it runs on this machine.
if(TARGET copal_command AND NOT CMAKE_CROSSCOMPILING)
  set(completions ${PROJECT_BINARY_DIR}/completions)
  add_custom_command(
    OUTPUT ${completions}/copal ${completions}/_copal ${completions}/copal.fish
    COMMAND ${CMAKE_COMMAND} -E make_directory ${completions}
    COMMAND copal_command completion bash > ${completions}/copal
    COMMAND copal_command completion zsh > ${completions}/_copal
    COMMAND copal_command completion fish > ${completions}/copal.fish
    DEPENDS copal_command
    VERBATIM)
  add_custom_target(copal_completions ALL DEPENDS ${completions}/copal)
  install(FILES ${completions}/copal DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${completions}/_copal DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${completions}/copal.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
