# copal-sim: many seeds, each another world, as one program (docs/testing.md).
file(GLOB sources CONFIGURE_DEPENDS sim/program/*.c)
add_executable(copal-sim ${sources} sim/network.c sim/node.c)
target_include_directories(copal-sim PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/sim)
target_link_libraries(copal-sim PRIVATE copal_internal)

foreach(seeds 1..60 61..120)
  add_test(NAME sim/seeds/mix_${seeds} COMMAND copal-sim --seeds ${seeds} --exchanges 500)
endforeach()
foreach(workload plain separate block q-block observe group stateless)
  add_test(NAME sim/seeds/${workload} COMMAND copal-sim --seeds 1001..1012 --exchanges 300 --workload ${workload})
endforeach()

# Canaries: what is done wrong on purpose must be noticed, by its name.
foreach(canary
    end-twice/separate/ended-twice lost-end/separate/starvation execute-twice/plain/executed-twice
    wrong-answer/block/wrong-answer leak/separate/tables retransmit/plain/retransmission-early mid/plain/message-id
    amplify/plain/amplification garble/plain/format crowd/plain/nstart overrun/plain/memory stale/observe/back-in-time
    register-twice/observe/registered-twice)
  string(REPLACE / ";" parts ${canary})
  list(GET parts 0 break)
  list(GET parts 1 workload)
  list(GET parts 2 invariant)
  add_test(NAME sim/canary/${break}
    COMMAND copal-sim --seeds 1..20 --exchanges 300 --workload ${workload} --break ${break})
  set_tests_properties(sim/canary/${break} PROPERTIES PASS_REGULAR_EXPRESSION "violation: ${invariant}\n")
endforeach()
