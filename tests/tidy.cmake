# The house rules that a compiler does not check. Each test first shows that it catches a planted violation.
set(tidy ${CMAKE_CURRENT_SOURCE_DIR}/tidy)
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/objects.txt
     CONTENT "$<JOIN:$<TARGET_OBJECTS:copal_objects>,\n>\n" TARGET copal_objects)

foreach(concern ranks conditionals comments lengths leftovers limits manual coapy readme threats rfc-coverage coverage)
  add_test(NAME tidy/${concern} COMMAND Python3::Interpreter -B ${tidy}/${concern}_test.py)
endforeach()
add_test(NAME tidy/mutants COMMAND Python3::Interpreter -B ${tidy}/mutants_test.py)
add_test(NAME tidy/purity COMMAND Python3::Interpreter -B ${tidy}/purity_test.py ${PROJECT_BINARY_DIR}/objects.txt)
add_test(NAME tidy/exports COMMAND Python3::Interpreter -B ${tidy}/exports_test.py $<TARGET_FILE:copal>)
# Of what the plugtests have found out, when they have.
add_test(NAME tidy/conformance COMMAND Python3::Interpreter -B ${tidy}/conformance_test.py ${results})
set_tests_properties(tidy/conformance PROPERTIES
  DEPENDS "plugtest/core;plugtest/link;plugtest/block;plugtest/observe;plugtest/renewal;interop/plugtest_libcoap;interop/plugtest_node")
