# Fuzz targets. With COPAL_FUZZ libFuzzer drives them; without it replay.c runs each over its corpus as a test.
file(GLOB targets CONFIGURE_DEPENDS fuzz/*.c)
list(FILTER targets EXCLUDE REGEX "/replay[.]c$")

# What reads outside input in the command.
set(of_the_command explain pcap)

foreach(source ${targets})
  cmake_path(GET source STEM name)
  if(COPAL_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${name} ${source} fuzz/replay.c)
    add_test(NAME fuzz/${name} COMMAND fuzz_${name} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
    set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 300)
  endif()
  set(library copal_internal)
  if(name IN_LIST of_the_command)
    set(library copal_cli)
  endif()
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(fuzz_${name} PRIVATE ${library})
endforeach()
