/* copal decode: datagrams explained, from arguments, standard input or a capture. Opens no socket. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/capture/explain.h"
#include "cli/capture/pcap.h"
#include "cli/line/command.h"
#include "cli/line/value.h"
#include "cli/show/terminal.h"
#include "copal/net.h"

enum { DATAGRAM_MAX = 65535, HEX_TEXT_MAX = 4 * DATAGRAM_MAX, CAPTURE_MAX = 1 << 30, PORT_COAP = 5683 };

/* Which ports of a capture are looked at. */
struct ports {
  uint16_t numbers[LIST_MAX];
  size_t count;
  bool any;
};

static enum status decode_operands(const struct settings *settings);
static enum status decode_input(void);
static enum status decode_capture(const struct settings *settings);
static enum status walk_capture(struct pcap *pcap, const struct ports *ports, const char *path, bool quiet);
static bool read_ports(const struct list *list, struct ports *ports);
static bool wanted(const struct ports *ports, const struct pcap_datagram *datagram);
static void show_frame(const struct pcap_datagram *datagram);
static enum status explain_given(copal_bytes datagram);
static enum status explain(copal_bytes datagram);
static bool read_all(const char *path, size_t limit, uint8_t **data, size_t *size);

enum status decode_run(const struct command *command, const struct settings *settings) {
  if (settings->pcap != NULL && settings->operands_count > 0) {
    complain(command->name, "--pcap and a datagram in hexadecimal exclude each other");
    return STATUS_USAGE;
  }
  if (settings->pcap == NULL && settings->ports.count > 0) {
    complain(command->name, "--port chooses among what a capture holds: it goes with --pcap FILE");
    return STATUS_USAGE;
  }
  if (settings->pcap != NULL) return decode_capture(settings);
  return settings->operands_count > 0 ? decode_operands(settings) : decode_input();
}

/* All operands together are one datagram, so that bytes may be pasted as they stand. */
static enum status decode_operands(const struct settings *settings) {
  static uint8_t buffer[DATAGRAM_MAX];
  size_t size = 0;
  for (size_t i = 0; i < settings->operands_count; ++i) {
    const char *text = settings->operands[i];
    enum hex_result result = value_hex(text, strlen(text), buffer, sizeof buffer, &size);
    if (result != HEX_OK) {
      complain("decode", "'%.40s' %s", text, value_hex_text(result));
      return STATUS_USAGE;
    }
  }
  return explain_given((copal_bytes){buffer, size});
}

static enum status decode_input(void) {
  static uint8_t buffer[DATAGRAM_MAX];
  if (terminal_is(stdin)) remark("reading a datagram in hexadecimal from standard input");
  uint8_t *text;
  size_t text_size, size = 0;
  if (!read_all("-", HEX_TEXT_MAX, &text, &text_size)) return STATUS_LOCAL;
  enum hex_result result = value_hex((const char *)text, text_size, buffer, sizeof buffer, &size);
  free(text);
  if (result != HEX_OK) {
    complain("decode", "standard input %s", value_hex_text(result));
    return STATUS_USAGE;
  }
  return explain_given((copal_bytes){buffer, size});
}

static enum status decode_capture(const struct settings *settings) {
  struct ports ports;
  if (!read_ports(&settings->ports, &ports)) return STATUS_USAGE;
  uint8_t *data;
  size_t size;
  if (!read_all(settings->pcap, CAPTURE_MAX, &data, &size)) return STATUS_LOCAL;
  struct pcap pcap;
  enum pcap_result result = pcap_open(&pcap, data, size);
  enum status status = STATUS_MALFORMED;
  if (result == PCAP_OK) {
    status = walk_capture(&pcap, &ports, settings->pcap, settings->quiet);
  } else {
    complain("decode", "%s %s", settings->pcap, pcap_result_text(result));
  }
  free(data);
  return status;
}

static enum status walk_capture(struct pcap *pcap, const struct ports *ports, const char *path, bool quiet) {
  enum status status = STATUS_SUCCESS;
  uint32_t shown = 0;
  enum pcap_result result;
  struct pcap_datagram datagram;
  while ((result = pcap_next(pcap, &datagram)) == PCAP_OK) {
    copal_bytes bytes = {datagram.data, datagram.size};
    copal_view view;
    if (!wanted(ports, &datagram)) continue;
    /* On any port, what does not decode is most likely no CoAP at all. */
    if (ports->any && copal_decode(bytes.data, bytes.size, &view) != COPAL_OK) continue;
    show_frame(&datagram);
    if (explain(bytes) != STATUS_SUCCESS) status = STATUS_MALFORMED;
    ++shown;
  }
  if (!quiet) {
    remark("%" PRIu32 " datagram%s of %" PRIu32 " frame%s; %" PRIu32 " without readable UDP", shown,
           shown == 1 ? "" : "s", pcap->frames, pcap->frames == 1 ? "" : "s", pcap->skipped);
  }
  if (result == PCAP_END) return status;
  complain("decode", "%s %s after frame %" PRIu32, path, pcap_result_text(result), pcap->frames);
  return STATUS_MALFORMED;
}

static bool read_ports(const struct list *list, struct ports *ports) {
  *ports = (struct ports){.count = 0};
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

static bool wanted(const struct ports *ports, const struct pcap_datagram *datagram) {
  if (ports->any) return true;
  for (size_t i = 0; i < ports->count; ++i) {
    if (datagram->source.port == ports->numbers[i] || datagram->destination.port == ports->numbers[i]) return true;
  }
  return false;
}

static void show_frame(const struct pcap_datagram *datagram) {
  char source[COPAL_ADDRESS_TEXT_MAX], destination[COPAL_ADDRESS_TEXT_MAX];
  copal_address_text(NULL, &datagram->source, source, sizeof source);
  copal_address_text(NULL, &datagram->destination, destination, sizeof destination);
  time_t seconds = (time_t)datagram->seconds;
  char when[32] = "?";
  struct tm *parts = gmtime(&seconds);
  if (parts != NULL) strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", parts);
  printf("%s#%" PRIu32 "  %s.%06u  %s -> %s%s\n", terminal_style(stdout, STYLE_FAINT), datagram->frame, when,
         datagram->nanoseconds / 1000, source, destination, terminal_style(stdout, STYLE_PLAIN));
  if (datagram->missing > 0) printf("  (cut off by the capture: %zu bytes are missing)\n", datagram->missing);
}

static enum status explain_given(copal_bytes datagram) {
  if (datagram.size == 0) {
    complain("decode", "there is no datagram to decode: give one in hexadecimal, or --pcap FILE");
    return STATUS_USAGE;
  }
  return explain(datagram);
}

static enum status explain(copal_bytes datagram) {
  return explain_datagram(stdout, datagram) == COPAL_OK ? STATUS_SUCCESS : STATUS_MALFORMED;
}

/* Reads a file, or "-" for standard input, whole. The caller frees data. False after a complaint. */
static bool read_all(const char *path, size_t limit, uint8_t **data, size_t *size) {
  bool standard_input = strcmp(path, "-") == 0;
  FILE *file = standard_input ? stdin : fopen(path, "rb");
  if (file == NULL) {
    complain("decode", "cannot open %s: %s", path, strerror(errno));
    return false;
  }
  uint8_t *buffer = NULL;
  size_t capacity = 0, used = 0;
  const char *trouble = NULL;
  do {
    if (used == capacity) {
      capacity = capacity == 0 ? 65536 : capacity * 2;
      uint8_t *grown = used < limit ? realloc(buffer, capacity) : NULL;
      if (grown == NULL) {
        trouble = used < limit ? "not enough memory" : "too large";
        break;
      }
      buffer = grown;
    }
    used += fread(buffer + used, 1, capacity - used, file);
  } while (used == capacity);
  if (trouble == NULL && ferror(file)) trouble = strerror(errno);
  if (!standard_input) fclose(file);
  if (trouble != NULL) {
    complain("decode", "cannot read %s: %s", path, trouble);
    free(buffer);
    return false;
  }
  *data = buffer;
  *size = used;
  return true;
}
