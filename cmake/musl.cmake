# A toolchain for one static program that runs on every Linux of this architecture: musl instead of glibc, whose static
# programs are larger than all of copal, and cannot look names up without its shared libraries.
set(CMAKE_C_COMPILER musl-gcc)

# musl brings no headers of the kernel, and /usr/include as a whole is glibc's.
execute_process(COMMAND gcc -dumpmachine OUTPUT_VARIABLE machine OUTPUT_STRIP_TRAILING_WHITESPACE)
set(kernel_headers ${CMAKE_BINARY_DIR}/kernel-headers)
file(MAKE_DIRECTORY ${kernel_headers})
foreach(folder linux asm-generic ${machine}/asm asm)
  cmake_path(GET folder FILENAME name)
  if(EXISTS /usr/include/${folder})
    file(CREATE_LINK /usr/include/${folder} ${kernel_headers}/${name} SYMBOLIC)
  endif()
endforeach()

# A macro of musl's for control messages adds a negative number to a size.
string(JOIN " " CMAKE_C_FLAGS_INIT -idirafter ${kernel_headers} -ffunction-sections -fdata-sections
       -Wno-sign-conversion)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -s -Wl,--gc-sections")
