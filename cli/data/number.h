/* Floating-point numbers as text, and back: JSON's, CBOR's and SenML's. Pure functions. */
#ifndef COPAL_CLI_DATA_NUMBER_H
#define COPAL_CLI_DATA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "copal/message.h"

enum { NUMBER_TEXT_MAX = 40 };

/* The shortest text that reads back as the same number: "23.1", "1e+300", "NaN", "-Infinity". With fraction true a
 * whole number has one all the same: "1.0", "1.0e+300". Returns buffer, of NUMBER_TEXT_MAX. */
const char *number_text(double number, bool fraction, char *buffer);

/* A JSON number; false where it is out of a double's range or longer than 400 characters. */
bool number_read(copal_bytes token, double *number);

#endif
