/* Sensor measurement lists: fields become records. What JSON and CBOR call a field, and how its value is written, is
 * told by the two take_… functions; all else is the same for both. RFC 8428 4. */
#include "cli/data/senml.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/data/base64.h"
#include "cli/data/number.h"

/* RFC 8428 4.1: the version number "is an optional positive integer and defaults to 10 if not present". */
enum { VERSION = 10 };

/* What a record's field is; the labels of RFC 8428 4.3. */
enum field {
  FIELD_BVER,
  FIELD_BN,
  FIELD_BT,
  FIELD_BU,
  FIELD_BV,
  FIELD_BS,
  FIELD_N,
  FIELD_U,
  FIELD_V,
  FIELD_VS,
  FIELD_VB,
  FIELD_S,
  FIELD_T,
  FIELD_UT,
  FIELD_VD,
  FIELD_UNKNOWN
};

static const struct {
  const char *name;
  int number;
} labels[] = {
    [FIELD_BVER] = {"bver", -1}, [FIELD_BN] = {"bn", -2}, [FIELD_BT] = {"bt", -3}, [FIELD_BU] = {"bu", -4},
    [FIELD_BV] = {"bv", -5},     [FIELD_BS] = {"bs", -6}, [FIELD_N] = {"n", 0},    [FIELD_U] = {"u", 1},
    [FIELD_V] = {"v", 2},        [FIELD_VS] = {"vs", 3},  [FIELD_VB] = {"vb", 4},  [FIELD_S] = {"s", 5},
    [FIELD_T] = {"t", 6},        [FIELD_UT] = {"ut", 7},  [FIELD_VD] = {"vd", 8},
};

/* A field's value, whichever of both it was written in. */
struct value {
  enum senml_kind kind; /* SENML_NOTHING: of a kind that no field has */
  double number;
  bool truth;
  bool quoted; /* text has JSON's quotes and escapes */
  copal_bytes text;
};

/* What the next token or item is, seen from a list of records. */
enum turn { TURN_RECORD, TURN_FIELD, TURN_RECORD_END, TURN_END, TURN_WRONG };

static bool begin_list(struct senml_reader *reader);
static enum turn take_turn(struct senml_reader *reader, enum field *field, struct value *value);
static enum turn take_json(struct senml_reader *reader, enum field *field, struct value *value);
static enum turn take_cbor(struct senml_reader *reader, enum field *field, struct value *value);
static bool json_value(struct json_reader *json, struct value *value);
static bool cbor_value(struct cbor_walk *cbor, struct value *value);
static bool decimal_fraction(struct cbor_walk *cbor, struct value *value);
static void cbor_number(const struct cbor_head *head, struct value *value);
static enum field field_by_name(copal_bytes name);
static enum field field_by_number(int64_t number);
static bool is_mandatory(copal_bytes name);
static bool apply(struct senml_reader *reader, struct senml_record *record, enum field field,
                  const struct value *value);
static bool keep(struct senml_reader *reader, enum senml_text which, const struct value *value);
static bool keep_data(struct senml_reader *reader, const struct value *value);
static void resolve(struct senml_reader *reader, struct senml_record *record);
static copal_bytes kept(const struct senml_reader *reader, enum senml_text which);
static double sum_of(double base, double number);
static enum turn fail(struct senml_reader *reader, const char *wrong);
static bool refuse(struct senml_reader *reader, const char *wrong);

bool senml_begin(struct senml_reader *reader, copal_bytes bytes, bool is_cbor) {
  memset(reader, 0, sizeof *reader);
  reader->is_cbor = is_cbor;
  /* A name is its base name and its own behind it, so that one lies before the other. */
  reader->room_size = bytes.size + 1;
  reader->room = malloc(reader->room_size * (SENML_TEXTS + 1));
  if (is_cbor) {
    cbor_walk_begin(&reader->from.cbor, bytes, false);
  } else {
    json_reader_begin(&reader->from.json, bytes);
  }
  return reader->room != NULL;
}

void senml_end(struct senml_reader *reader) {
  free(reader->room);
  reader->room = NULL;
}

int senml_next(struct senml_reader *reader, struct senml_record *record) {
  if (!reader->begun && !begin_list(reader)) return -1;
  *record = (struct senml_record){.kind = SENML_NOTHING};
  reader->sizes[SENML_NAME] = reader->sizes[SENML_UNIT] = 0;
  bool has_fields = false;
  for (;;) {
    enum field field = FIELD_UNKNOWN;
    struct value value = {.kind = SENML_NOTHING};
    switch (take_turn(reader, &field, &value)) {
      case TURN_RECORD: break;
      case TURN_FIELD:
        if (!apply(reader, record, field, &value)) return -1;
        has_fields = has_fields || (field >= FIELD_N && field != FIELD_UNKNOWN);
        break;
      case TURN_RECORD_END:
        if (!has_fields) break;
        resolve(reader, record);
        return 1;
      case TURN_END: return 0;
      case TURN_WRONG: return -1;
    }
  }
}

enum senml_label senml_label(copal_bytes name, int *number) {
  enum field field = field_by_name(name);
  if (field == FIELD_UNKNOWN) return SENML_LABEL_NAME;
  *number = labels[field].number;
  return field == FIELD_VD ? SENML_LABEL_DATA : SENML_LABEL_NUMBER;
}

static bool begin_list(struct senml_reader *reader) {
  reader->begun = true;
  bool is_list;
  if (reader->is_cbor) {
    struct cbor_step step = cbor_walk_next(&reader->from.cbor);
    is_list = step.event == CBOR_ITEM && step.head.kind == CBOR_ARRAY;
  } else {
    is_list = json_reader_next(&reader->from.json).kind == JSON_ARRAY_BEGIN;
  }
  return is_list || refuse(reader, "it is no array of records");
}

static enum turn take_turn(struct senml_reader *reader, enum field *field, struct value *value) {
  if (reader->wrong != NULL) return TURN_WRONG;
  return reader->is_cbor ? take_cbor(reader, field, value) : take_json(reader, field, value);
}

static enum turn take_json(struct senml_reader *reader, enum field *field, struct value *value) {
  struct json_reader *json = &reader->from.json;
  struct json_token token = json_reader_next(json);
  if (token.kind == JSON_WRONG) return fail(reader, json->wrong);
  if (token.kind == JSON_END || token.kind == JSON_ARRAY_END) return TURN_END;
  if (token.kind == JSON_OBJECT_BEGIN && json->depth == 2) return TURN_RECORD;
  if (token.kind == JSON_OBJECT_END) return TURN_RECORD_END;
  if (token.kind != JSON_KEY) return fail(reader, "a record is no object");
  copal_bytes name = {token.text.data + 1, token.text.size - 2};
  *field = field_by_name(name);
  if (*field == FIELD_UNKNOWN && is_mandatory(name)) return fail(reader, "a field that must be understood is not");
  return json_value(json, value) ? TURN_FIELD : fail(reader, json->wrong);
}

static enum turn take_cbor(struct senml_reader *reader, enum field *field, struct value *value) {
  struct cbor_walk *cbor = &reader->from.cbor;
  struct cbor_step step = cbor_walk_next(cbor);
  if (step.event == CBOR_WRONG) return fail(reader, cbor->wrong);
  if (step.event == CBOR_END) return TURN_END;
  if (step.event == CBOR_CLOSE) return step.outermost ? TURN_END : TURN_RECORD_END;
  if (step.within == CBOR_ARRAY) return step.head.kind == CBOR_MAP ? TURN_RECORD : fail(reader, "a record is no map");
  /* RFC 8428 6: "there is no intention to define any additional integer map keys; any extensions will use string map
   * keys." */
  *field = FIELD_UNKNOWN;
  if (step.head.kind == CBOR_UINT && step.head.number <= INT32_MAX) *field = field_by_number((int64_t)step.head.number);
  if (step.head.kind == CBOR_NEGATIVE && step.head.number < INT32_MAX) {
    *field = field_by_number(-1 - (int64_t)step.head.number);
  }
  if (cbor_holds(&step.head)) return fail(reader, "a label is neither a number nor a text");
  if (step.head.kind == CBOR_TEXT && is_mandatory(step.head.bytes)) {
    return fail(reader, "a field that must be understood is not");
  }
  return cbor_value(cbor, value) ? TURN_FIELD : fail(reader, cbor->wrong);
}

/* Of what no field has for a value, all is passed over. False where the text is wrong. */
static bool json_value(struct json_reader *json, struct value *value) {
  struct json_token token = json_reader_next(json);
  if (token.kind == JSON_STRING) {
    *value = (struct value){.kind = SENML_TEXT, .quoted = true, .text = token.text};
  } else if (token.kind == JSON_NUMBER) {
    if (number_read(token.text, &value->number)) value->kind = SENML_NUMBER;
  } else if (token.kind == JSON_TRUE || token.kind == JSON_FALSE) {
    *value = (struct value){.kind = SENML_BOOL, .truth = token.kind == JSON_TRUE};
  } else if (token.kind == JSON_OBJECT_BEGIN || token.kind == JSON_ARRAY_BEGIN) {
    unsigned outside = json->depth - 1;
    while (json->depth > outside && token.kind != JSON_WRONG) token = json_reader_next(json);
  }
  return token.kind != JSON_WRONG;
}

static bool cbor_value(struct cbor_walk *cbor, struct value *value) {
  unsigned outside = cbor->depth;
  struct cbor_step step = cbor_walk_next(cbor);
  const struct cbor_head *head = &step.head;
  if (step.event == CBOR_ITEM && head->kind == CBOR_TAGGED && head->number == 4 && !decimal_fraction(cbor, value)) {
    return false;
  }
  if (step.event == CBOR_ITEM && cbor_holds(head)) {
    while (cbor->depth > outside && step.event != CBOR_WRONG) step = cbor_walk_next(cbor);
  } else if (head->kind == CBOR_TEXT) {
    *value = (struct value){.kind = SENML_TEXT, .text = head->bytes};
  } else if (head->kind == CBOR_BYTES) {
    *value = (struct value){.kind = SENML_DATA, .text = head->bytes};
  } else if (head->kind == CBOR_SIMPLE && (head->number == CBOR_TRUE || head->number == CBOR_FALSE)) {
    *value = (struct value){.kind = SENML_BOOL, .truth = head->number == CBOR_TRUE};
  } else {
    cbor_number(head, value);
  }
  return step.event != CBOR_WRONG;
}

/* RFC 8949 3.4.4: an array of two integers, an exponent e and a mantissa m, means m*(10^(e)). False where the bytes are
 * wrong. */
static bool decimal_fraction(struct cbor_walk *cbor, struct value *value) {
  struct cbor_step array = cbor_walk_next(cbor);
  if (array.event != CBOR_ITEM || array.head.kind != CBOR_ARRAY || array.head.number != 2) {
    return array.event != CBOR_WRONG;
  }
  struct value parts[2] = {{.kind = SENML_NOTHING}, {.kind = SENML_NOTHING}};
  for (size_t i = 0; i < 2; ++i) {
    struct cbor_step step = cbor_walk_next(cbor);
    if (step.event == CBOR_WRONG) return false;
    if (step.event != CBOR_ITEM || cbor_holds(&step.head)) return true;
    if (step.head.kind != CBOR_REAL) cbor_number(&step.head, &parts[i]);
  }
  if (parts[0].kind != SENML_NUMBER || parts[1].kind != SENML_NUMBER || fabs(parts[0].number) > 400) return true;
  char text[64];
  snprintf(text, sizeof text, "%.0fe%.0f", parts[1].number, parts[0].number);
  if (number_read((copal_bytes){(const uint8_t *)text, strlen(text)}, &value->number)) value->kind = SENML_NUMBER;
  return true;
}

static void cbor_number(const struct cbor_head *head, struct value *value) {
  if (head->kind == CBOR_UINT) value->number = (double)head->number;
  if (head->kind == CBOR_NEGATIVE) value->number = -1.0 - (double)head->number;
  if (head->kind == CBOR_REAL) value->number = head->real;
  bool is_number = head->kind == CBOR_UINT || head->kind == CBOR_NEGATIVE || head->kind == CBOR_REAL;
  if (is_number && isfinite(value->number)) value->kind = SENML_NUMBER;
}

static enum field field_by_name(copal_bytes name) {
  for (int i = 0; i < FIELD_UNKNOWN; ++i) {
    if (strlen(labels[i].name) == name.size && memcmp(labels[i].name, name.data, name.size) == 0) return (enum field)i;
  }
  return FIELD_UNKNOWN;
}

static enum field field_by_number(int64_t number) {
  for (int i = 0; i < FIELD_UNKNOWN; ++i) {
    if (labels[i].number == number) return (enum field)i;
  }
  return FIELD_UNKNOWN;
}

/* RFC 8428 4.4: "Implementations MUST ignore fields they don't recognize unless that field has a label name that ends
 * with the "_" character, in which case an error MUST be generated." */
static bool is_mandatory(copal_bytes name) { return name.size > 0 && name.data[name.size - 1] == '_'; }

/* False where the value is none for this field, and the list therefore none. */
static bool apply(struct senml_reader *reader, struct senml_record *record, enum field field,
                  const struct value *value) {
  bool is_number = value->kind == SENML_NUMBER, is_text = value->kind == SENML_TEXT, good = is_number;
  switch (field) {
    case FIELD_BVER:
      /* RFC 8428 4.4: "If this value is a version number larger than the version that the system understands, the
       * system MUST NOT use this object." */
      if (is_number && value->number > VERSION) return refuse(reader, "it is of a later version");
      break;
    case FIELD_BT: reader->base_time = value->number; break;
    case FIELD_BV: reader->base_value = value->number; break;
    case FIELD_BS: reader->base_sum = value->number; break;
    case FIELD_T: record->time = value->number; break;
    case FIELD_UT: break;
    case FIELD_V: record->number = value->number; break;
    case FIELD_S: record->sum = value->number; break;
    case FIELD_BN: good = is_text && keep(reader, SENML_BASE_NAME, value); break;
    case FIELD_BU: good = is_text && keep(reader, SENML_BASE_UNIT, value); break;
    case FIELD_N: good = is_text && keep(reader, SENML_NAME, value); break;
    case FIELD_U: good = is_text && keep(reader, SENML_UNIT, value); break;
    case FIELD_VS: good = is_text && keep(reader, SENML_VALUE, value); break;
    case FIELD_VD: good = keep_data(reader, value); break;
    case FIELD_VB: good = value->kind == SENML_BOOL; break;
    case FIELD_UNKNOWN: good = true; break;
  }
  if (!good) return refuse(reader, "a field has a value of the wrong kind");
  if (field == FIELD_V) record->kind = SENML_NUMBER;
  if (field == FIELD_VS) record->kind = SENML_TEXT;
  if (field == FIELD_VD) record->kind = SENML_DATA;
  if (field == FIELD_VB) record->kind = SENML_BOOL;
  if (field == FIELD_VB) record->truth = value->truth;
  if (field == FIELD_S) record->has_sum = true;
  return true;
}

/* Copies a text, since base names outlive their record. */
static bool keep(struct senml_reader *reader, enum senml_text which, const struct value *value) {
  uint8_t *at = reader->room + (size_t)which * reader->room_size;
  if (value->quoted) return json_reader_unescape(value->text, at, &reader->sizes[which]);
  if (value->text.size > 0) memcpy(at, value->text.data, value->text.size);
  reader->sizes[which] = value->text.size;
  return true;
}

/* RFC 8428 4.3: "Data Value is a base64-encoded string with the URL-safe alphabet as defined in Section 5 of [RFC4648],
 * with padding omitted. (In CBOR, the octets in the Data Value are encoded using a definite-length byte string". */
static bool keep_data(struct senml_reader *reader, const struct value *value) {
  if (reader->is_cbor) return value->kind == SENML_DATA && keep(reader, SENML_VALUE, value);
  if (value->kind != SENML_TEXT || !keep(reader, SENML_VALUE, value)) return false;
  uint8_t *at = reader->room + (size_t)SENML_VALUE * reader->room_size;
  return base64_read((copal_bytes){at, reader->sizes[SENML_VALUE]}, at, &reader->sizes[SENML_VALUE]);
}

/* RFC 8428 4.6: base values become part of the record. */
static void resolve(struct senml_reader *reader, struct senml_record *record) {
  copal_bytes base = kept(reader, SENML_BASE_NAME), name = kept(reader, SENML_NAME);
  uint8_t *whole = reader->room + (size_t)SENML_TEXTS * reader->room_size;
  /* Both stand in the bytes that were read: together they are not longer. */
  if (base.size > 0) memcpy(whole, base.data, base.size);
  if (name.size > 0) memcpy(whole + base.size, name.data, name.size);
  record->name = (copal_bytes){whole, base.size + name.size};
  record->unit = kept(reader, reader->sizes[SENML_UNIT] > 0 ? SENML_UNIT : SENML_BASE_UNIT);
  record->text = kept(reader, SENML_VALUE);
  record->time = sum_of(reader->base_time, record->time);
  if (record->kind == SENML_NUMBER) record->number = sum_of(reader->base_value, record->number);
  if (record->has_sum) record->sum = sum_of(reader->base_sum, record->sum);
}

static copal_bytes kept(const struct senml_reader *reader, enum senml_text which) {
  return (copal_bytes){reader->room + (size_t)which * reader->room_size, reader->sizes[which]};
}

/* To the 15 digits that a double keeps, so that 20 and 0.1 are 20.1 all the time. */
static double sum_of(double base, double number) {
  if (base == 0) return number;
  char text[64];
  snprintf(text, sizeof text, "%.15g", base + number);
  return strtod(text, NULL);
}

static enum turn fail(struct senml_reader *reader, const char *wrong) {
  reader->wrong = wrong;
  return TURN_WRONG;
}

static bool refuse(struct senml_reader *reader, const char *wrong) {
  reader->wrong = wrong;
  return false;
}
