/* copal decode: datagrams explained, from arguments, standard input, files or a capture. Opens no socket. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/capture/explain.h"
#include "cli/capture/pcap.h"
#include "cli/capture/whole.h"
#include "cli/line/command.h"
#include "cli/line/value.h"
#include "cli/show/terminal.h"
#include "copal/net.h"

enum { DATAGRAM_MAX = 65535, TEXT_MAX = 1 << 26, CAPTURE_MAX = 1 << 30, PORT_COAP = 5683 };

/* Which ports of a capture are looked at. */
struct ports {
  uint16_t numbers[LIST_MAX];
  size_t count;
  bool any;
};

/* What is shown, and how many datagrams were. */
struct decoding {
  const struct settings *settings;
  struct ports ports;
  uint32_t shown;
  bool has_malformed;
};

static enum status check(const char *command, const struct settings *settings);
static bool read_ports(const struct list *list, struct ports *ports);
static enum status decode_operands(struct decoding *decoding);
static enum status decode_input(struct decoding *decoding);
static enum status decode_raw(struct decoding *decoding);
static enum status decode_capture(struct decoding *decoding, const char *path);
static enum status walk_text(struct decoding *decoding, const char *text, size_t size);
static enum status walk_capture(struct decoding *decoding, const char *path, copal_bytes data);
static bool is_file(const struct settings *settings);
static size_t paragraph(const char *text, size_t size);
static bool wanted(const struct ports *ports, const struct frame *frame);
static enum status explain_given(struct decoding *decoding, copal_bytes datagram);
static void explain(struct decoding *decoding, copal_bytes datagram, const struct pcap_datagram *captured);
static void explain_as_json(struct decoding *decoding, copal_bytes datagram, const struct pcap_datagram *captured);
static void show_frame(const struct pcap_datagram *captured, bool brief);

enum status decode_run(const struct command *command, const struct settings *settings) {
  struct decoding decoding = {.settings = settings};
  enum status status = check(command->name, settings);
  if (status != STATUS_SUCCESS) return status;
  if (!read_ports(&settings->ports, &decoding.ports)) return STATUS_USAGE;
  if (settings->pcap != NULL) {
    status = decode_capture(&decoding, settings->pcap);
  } else if (settings->raw) {
    status = decode_raw(&decoding);
  } else if (is_file(settings)) {
    status = decode_capture(&decoding, settings->operands[0]);
  } else {
    status = settings->operands_count > 0 ? decode_operands(&decoding) : decode_input(&decoding);
  }
  return status == STATUS_SUCCESS && decoding.has_malformed ? STATUS_MALFORMED : status;
}

static enum status check(const char *command, const struct settings *settings) {
  const char *wrong = NULL;
  if (settings->pcap != NULL && settings->operands_count > 0) {
    wrong = "--pcap and a datagram in hexadecimal exclude each other";
  } else if (settings->pcap != NULL && settings->raw) {
    wrong = "--pcap and --raw exclude each other";
  } else if (settings->json && settings->brief) {
    wrong = "--json and --brief exclude each other";
  } else if (settings->ports.count > 0 && (settings->raw || (settings->pcap == NULL && !is_file(settings)))) {
    wrong = "--port chooses among what a capture holds: it goes with --pcap FILE";
  }
  if (wrong == NULL) return STATUS_SUCCESS;
  complain(command, "%s", wrong);
  return STATUS_USAGE;
}

static bool read_ports(const struct list *list, struct ports *ports) {
  for (size_t i = 0; i < list->count; ++i) {
    uint32_t number;
    if (strcmp(list->items[i], "any") == 0) {
      ports->any = true;
    } else if (value_number(list->items[i], UINT16_MAX, &number) && number > 0) {
      ports->numbers[ports->count++] = (uint16_t)number;
    } else {
      complain("decode", "--port: '%s' is not a port number from 1 to 65535, nor \"any\"", list->items[i]);
      return false;
    }
  }
  if (list->count == 0) ports->numbers[ports->count++] = PORT_COAP;
  return true;
}

/* All operands together are one datagram, so that bytes may be pasted as they stand. */
static enum status decode_operands(struct decoding *decoding) {
  static uint8_t buffer[DATAGRAM_MAX];
  const struct settings *settings = decoding->settings;
  size_t size = 0;
  for (size_t i = 0; i < settings->operands_count; ++i) {
    const char *text = settings->operands[i];
    enum hex_result result = value_hex(text, strlen(text), buffer, sizeof buffer, &size);
    if (result != HEX_OK) {
      complain("decode", "'%.40s' %s%s", text, value_hex_text(result),
               result == HEX_NOT_HEX ? ", and there is no such file" : "");
      return STATUS_USAGE;
    }
  }
  return explain_given(decoding, (copal_bytes){buffer, size});
}

static enum status decode_input(struct decoding *decoding) {
  if (terminal_is(stdin)) remark("reading a datagram in hexadecimal from standard input");
  uint8_t *text;
  size_t size;
  if (!whole_read("decode", "-", TEXT_MAX, &text, &size)) return STATUS_LOCAL;
  enum status status = pcap_is_one(text, size) ? walk_capture(decoding, "-", (copal_bytes){text, size})
                                               : walk_text(decoding, (const char *)text, size);
  free(text);
  return status;
}

static enum status decode_raw(struct decoding *decoding) {
  const struct settings *settings = decoding->settings;
  size_t count = settings->operands_count > 0 ? settings->operands_count : 1;
  enum status status = STATUS_SUCCESS;
  for (size_t i = 0; status == STATUS_SUCCESS && i < count; ++i) {
    uint8_t *data;
    size_t size;
    const char *path = settings->operands_count > 0 ? settings->operands[i] : "-";
    if (!whole_read("decode", path, DATAGRAM_MAX, &data, &size)) return STATUS_LOCAL;
    status = explain_given(decoding, (copal_bytes){data, size});
    free(data);
  }
  return status;
}

static enum status decode_capture(struct decoding *decoding, const char *path) {
  uint8_t *data;
  size_t size;
  if (!whole_read("decode", path, CAPTURE_MAX, &data, &size)) return STATUS_LOCAL;
  enum status status = walk_capture(decoding, path, (copal_bytes){data, size});
  free(data);
  return status;
}

/* Datagrams in hexadecimal, an empty line between them. */
static enum status walk_text(struct decoding *decoding, const char *text, size_t size) {
  static uint8_t buffer[DATAGRAM_MAX];
  enum status status = STATUS_SUCCESS;
  while (size > 0 && status == STATUS_SUCCESS) {
    size_t datagram_size = 0, text_size = paragraph(text, size);
    enum hex_result result = value_hex(text, text_size, buffer, sizeof buffer, &datagram_size);
    if (result != HEX_OK) {
      complain("decode", "standard input %s", value_hex_text(result));
      return STATUS_USAGE;
    }
    text += text_size;
    size -= text_size;
    if (datagram_size > 0) status = explain_given(decoding, (copal_bytes){buffer, datagram_size});
  }
  if (status != STATUS_SUCCESS || decoding->shown > 0) return status;
  return explain_given(decoding, (copal_bytes){buffer, 0});
}

static enum status walk_capture(struct decoding *decoding, const char *path, copal_bytes data) {
  static struct pcap pcap;
  struct pcap_datagram datagram;
  uint32_t elsewhere = 0;
  enum pcap_result result = pcap_open(&pcap, data.data, data.size);
  if (result != PCAP_OK) {
    complain("decode", "%s %s", path, pcap_result_text(result));
    return STATUS_MALFORMED;
  }
  while ((result = pcap_next(&pcap, &datagram)) == PCAP_OK) {
    copal_bytes bytes = {datagram.frame.data, datagram.frame.size};
    copal_view view;
    if (!wanted(&decoding->ports, &datagram.frame)) {
      ++elsewhere;
      continue;
    }
    /* On any port, what does not decode is most likely no CoAP at all. */
    if (decoding->ports.any && copal_decode(bytes.data, bytes.size, &view) != COPAL_OK) continue;
    explain(decoding, bytes, &datagram);
  }
  if (!decoding->settings->quiet) {
    remark("%" PRIu32 " datagram%s of %" PRIu32 " frame%s; %" PRIu32 " without readable UDP", decoding->shown,
           decoding->shown == 1 ? "" : "s", pcap.frames, pcap.frames == 1 ? "" : "s", pcap.skipped);
    if (elsewhere > 0) {
      remark("%" PRIu32 " of other ports %s left out: --port NUMBER shows one, --port any all that is CoAP", elsewhere,
             elsewhere == 1 ? "is" : "are");
    }
    if (pcap.fragments > 0) {
      remark("%" PRIu32 " of these %s of IP packets, which are not put together", pcap.fragments,
             pcap.fragments == 1 ? "is a fragment" : "are fragments");
    }
  }
  if (result == PCAP_END) return STATUS_SUCCESS;
  complain("decode", "%s %s after frame %" PRIu32, path, pcap_result_text(result), pcap.frames);
  return STATUS_MALFORMED;
}

/* An operand that is no hexadecimal, but a file: a capture. */
static bool is_file(const struct settings *settings) {
  static uint8_t buffer[DATAGRAM_MAX];
  size_t size = 0;
  if (settings->operands_count != 1) return false;
  const char *path = settings->operands[0];
  if (value_hex(path, strlen(path), buffer, sizeof buffer, &size) == HEX_OK) return false;
  FILE *file = fopen(path, "rb");
  if (file != NULL) fclose(file);
  return file != NULL;
}

/* How much of text comes before the next line that is empty, that line included. */
static size_t paragraph(const char *text, size_t size) {
  bool is_empty = false;
  for (size_t at = 0; at < size; ++at) {
    if (text[at] == '\n' && is_empty) return at + 1;
    if (text[at] == '\n') is_empty = true;
    if (strchr(" \t\r\n", text[at]) == NULL || text[at] == '\0') is_empty = false;
  }
  return size;
}

static bool wanted(const struct ports *ports, const struct frame *frame) {
  if (ports->any) return true;
  for (size_t i = 0; i < ports->count; ++i) {
    if (frame->source.port == ports->numbers[i] || frame->destination.port == ports->numbers[i]) return true;
  }
  return false;
}

static enum status explain_given(struct decoding *decoding, copal_bytes datagram) {
  if (datagram.size == 0 && !decoding->settings->raw) {
    complain("decode", "there is no datagram to decode: give one in hexadecimal, or --pcap FILE");
    return STATUS_USAGE;
  }
  explain(decoding, datagram, NULL);
  return STATUS_SUCCESS;
}

/* captured is NULL where the datagram is all there is. */
static void explain(struct decoding *decoding, copal_bytes datagram, const struct pcap_datagram *captured) {
  const struct settings *settings = decoding->settings;
  uint32_t before = decoding->shown++;
  if (settings->json) {
    explain_as_json(decoding, datagram, captured);
    return;
  }
  if (before > 0 && !settings->brief) putchar('\n');
  if (captured != NULL) show_frame(captured, settings->brief);
  copal_error error = settings->brief ? explain_line(stdout, datagram) : explain_datagram(stdout, datagram);
  if (error != COPAL_OK) decoding->has_malformed = true;
}

static void explain_as_json(struct decoding *decoding, copal_bytes datagram, const struct pcap_datagram *captured) {
  struct json json;
  json_begin(&json, stdout);
  json_text(&json, "kind", "datagram");
  if (captured != NULL) {
    char source[COPAL_ADDRESS_TEXT_MAX], destination[COPAL_ADDRESS_TEXT_MAX], when[40];
    copal_address_text(NULL, &captured->frame.source, source, sizeof source);
    copal_address_text(NULL, &captured->frame.destination, destination, sizeof destination);
    int size = snprintf(when, sizeof when, "%" PRIu64 ".%09" PRIu32, captured->seconds, captured->nanoseconds);
    json_uint(&json, "frame", captured->number);
    json_raw(&json, "time_s", (copal_bytes){(const uint8_t *)when, (size_t)size});
    json_text(&json, "source", source);
    json_text(&json, "destination", destination);
    json_uint(&json, "missing", captured->frame.missing);
  }
  if (explain_json(&json, datagram) != COPAL_OK) decoding->has_malformed = true;
  json_end(&json);
}

static void show_frame(const struct pcap_datagram *captured, bool brief) {
  char source[COPAL_ADDRESS_TEXT_MAX], destination[COPAL_ADDRESS_TEXT_MAX];
  copal_address_text(NULL, &captured->frame.source, source, sizeof source);
  copal_address_text(NULL, &captured->frame.destination, destination, sizeof destination);
  time_t seconds = (time_t)captured->seconds;
  char when[64] = "?";
  struct tm *parts = gmtime(&seconds);
  if (parts != NULL) strftime(when, sizeof when, brief ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", parts);
  printf("%s#%" PRIu32 "  %s.%06" PRIu32 "  %s -> %s%s%s", terminal_style(stdout, STYLE_FAINT), captured->number, when,
         captured->nanoseconds / 1000, source, destination, terminal_style(stdout, STYLE_PLAIN), brief ? "  " : "\n");
  if (captured->frame.missing > 0 && !brief) {
    printf("  (cut off by the capture: %zu bytes are missing)\n", captured->frame.missing);
  }
}
