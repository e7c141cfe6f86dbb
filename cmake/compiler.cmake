# The language and the warnings. Warnings are errors only where COPAL_WERROR says so: a user's compiler may know more.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
if(COPAL_INTERNAL STREQUAL "SHARED")
  set(CMAKE_C_VISIBILITY_PRESET default)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_compile_options(
  -Wall -Wextra -Wpedantic
  -Wconversion -Wdouble-promotion
  -Wcast-qual -Wpointer-arith -Wwrite-strings
  -Wshadow -Wundef -Wvla -Wformat=2
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wduplicated-cond -Wlogical-op)
endif()
# Without asserts, what only they use is unused.
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
if("${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${build_type}}" MATCHES "-DNDEBUG")
  set(ndebug ON)
  add_compile_options(-Wno-unused-function -Wno-unused-parameter -Wno-unused-variable)
endif()
if(COPAL_WERROR)
  add_compile_options(-Werror)
endif()
