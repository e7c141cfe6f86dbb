# The library without an operating system: ranks 0 to 4, and a test that they need nothing but a handful of symbols.
add_library(copal_core STATIC ${core_sources})
target_include_directories(copal_core PUBLIC include PRIVATE src)
target_compile_options(copal_core PRIVATE -Wcast-align) # here a misaligned access is a fault

find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GENERATE OUTPUT objects.txt CONTENT "$<JOIN:$<TARGET_OBJECTS:copal_core>,\n>\n" TARGET copal_core)
enable_testing()
add_test(NAME tidy/purity
         COMMAND Python3::Interpreter -B ${PROJECT_SOURCE_DIR}/tests/tidy/purity_test.py
                 --nm ${CMAKE_NM} --freestanding $<$<BOOL:${ndebug}>:--no-assert> ${PROJECT_BINARY_DIR}/objects.txt
         COMMAND_EXPAND_LISTS)
