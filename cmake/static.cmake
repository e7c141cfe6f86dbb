# The static library is one object in which hidden symbols are local: internal names have no prefix, and must not meet
# those of the program. Its sections stay apart, so that --gc-sections leaves out what is not used.
add_custom_command(
  OUTPUT copal.o
  COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o copal_all.o $<TARGET_OBJECTS:copal_objects>
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden copal_all.o copal.o
  DEPENDS copal_objects $<TARGET_OBJECTS:copal_objects>
  COMMAND_EXPAND_LISTS VERBATIM)
add_library(copal_static STATIC ${PROJECT_BINARY_DIR}/copal.o)
set_target_properties(copal_static PROPERTIES OUTPUT_NAME copal)

# Tests see private functions, too. As a shared library it is changed without linking the tests anew: scripts/mutants.
add_library(copal_internal ${COPAL_INTERNAL} EXCLUDE_FROM_ALL $<TARGET_OBJECTS:copal_objects>)
set_target_properties(copal_internal PROPERTIES LINKER_LANGUAGE C)
target_include_directories(copal_internal PUBLIC include)
