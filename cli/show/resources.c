/* What a host has, as a tree or as JSON. Knows no endpoint; all that it shows came from a peer. */
#include "cli/show/resources.h"

#include <stdio.h>
#include <string.h>

#include "cli/show/body.h"
#include "cli/show/json_coap.h"
#include "cli/show/response.h"
#include "cli/show/terminal.h"

enum { ROOT_SIZE_MAX = 200, REASON_MAX = 160 };

static enum status show_tree(const struct finding *finding);
static enum status show_other(const struct finding *finding, const struct settings *settings);
static enum status tell_links(const struct finding *finding);
static enum status tell_other(const struct finding *finding);

enum status resources_show(const struct finding *finding, const struct settings *settings) {
  uint32_t format = copal_find_uint(finding->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  bool is_list = COPAL_CODE_CLASS(finding->message->code) == 2 && format == COPAL_LINK_FORMAT;
  if (settings->json) return is_list ? tell_links(finding) : tell_other(finding);
  return is_list ? show_tree(finding) : show_other(finding, settings);
}

void resources_failed(const char *peer, copal_error error, const char *text, enum status status) {
  struct json json;
  char name[JSON_ERROR_NAME_MAX];
  json_begin(&json, stdout);
  json_text(&json, "kind", "error");
  json_text(&json, "peer", peer);
  json_error(&json, json_error_name(error, name), text);
  json_uint(&json, "status", (uint64_t)status);
  json_end(&json);
}

static enum status show_tree(const struct finding *finding) {
  char root[ROOT_SIZE_MAX];
  bool is_address = strncmp(finding->peer, "unix:", 5) != 0;
  snprintf(root, sizeof root, "%s%s", is_address ? "coap://" : "", finding->peer);
  int count = links_print(stdout, finding->body, root, finding->filters);
  if (count == 0) printf("   (no resources)\n");
  terminal_flush(stdout);
  if (count >= 0) return STATUS_SUCCESS;
  complain("discover", "what %s sent is not link format", finding->peer);
  return STATUS_MALFORMED;
}

/* An answer that is no list of links. */
static enum status show_other(const struct finding *finding, const struct settings *settings) {
  struct answer answer = {finding->message, finding->body, finding->body_size, finding->peer, finding->round_trip};
  enum status status = response_show(&answer, settings);
  uint32_t format = copal_find_uint(finding->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (status != STATUS_SUCCESS) return status;
  response_show_body(finding->body, format);
  terminal_flush(stdout);
  complain("discover", "what %s sent is no list of links", finding->peer);
  return STATUS_MALFORMED;
}

static enum status tell_links(const struct finding *finding) {
  if (!links_check(finding->body)) {
    char reason[REASON_MAX];
    snprintf(reason, sizeof reason, "what %s sent is not link format", finding->peer);
    resources_failed(finding->peer, COPAL_ERR_LINK_SYNTAX, reason, STATUS_MALFORMED);
    return STATUS_MALFORMED;
  }
  struct json json;
  json_begin(&json, stdout);
  json_text(&json, "kind", "resources");
  json_text(&json, "peer", finding->peer);
  links_json(&json, "resources", finding->body, finding->filters);
  json_uint(&json, "status", STATUS_SUCCESS);
  json_end(&json);
  return STATUS_SUCCESS;
}

static enum status tell_other(const struct finding *finding) {
  const copal_view *message = finding->message;
  enum status status = status_of_code(message->code);
  if (status == STATUS_SUCCESS) status = STATUS_MALFORMED;
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  char code[8];
  snprintf(code, sizeof code, "%d.%02d", COPAL_CODE_CLASS(message->code), COPAL_CODE_DETAIL(message->code));
  struct json json;
  json_begin(&json, stdout);
  json_text(&json, "kind", "error");
  json_text(&json, "peer", finding->peer);
  json_object(&json, "response");
  json_text(&json, "code", code);
  json_text(&json, "name", copal_code_name(message->code));
  body_json(&json, finding->body, format);
  json_close(&json);
  json_error(&json, "no_links", "the answer is no list of links");
  json_uint(&json, "status", (uint64_t)status);
  json_end(&json);
  return status;
}
