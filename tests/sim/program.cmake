# copal-sim: many seeds, each another world, as one program (docs/testing.md).
file(GLOB sources CONFIGURE_DEPENDS sim/program/*.c)
add_executable(copal_sim ${sources} sim/network.c sim/node.c)
set_target_properties(copal_sim PROPERTIES OUTPUT_NAME copal-sim)
target_include_directories(copal_sim PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/sim)
target_link_libraries(copal_sim PRIVATE copal_static)
