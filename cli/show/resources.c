/* What a host has, as a tree or as JSON. Knows no endpoint; all that it shows came from a peer. */
#include "cli/show/resources.h"

#include <stdio.h>
#include <string.h>

#include "cli/show/body.h"
#include "cli/show/json.h"
#include "cli/show/response.h"
#include "cli/show/terminal.h"

enum { ROOT_SIZE_MAX = 200, ERROR_NAME_MAX = 40 };

static enum status show_tree(const struct finding *finding);
static enum status show_other(const struct finding *finding, const struct settings *settings);
static enum status tell_links(const struct finding *finding);
static enum status tell_other(const struct finding *finding);
static void tell_error(struct json *json, const char *name, const char *message, enum status status);
static void error_name(copal_error error, char *name);

enum status resources_show(const struct finding *finding, const struct settings *settings) {
  uint32_t format = copal_find_uint(finding->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  bool is_list = COPAL_CODE_CLASS(finding->message->code) == 2 && format == COPAL_LINK_FORMAT;
  if (settings->json) return is_list ? tell_links(finding) : tell_other(finding);
  return is_list ? show_tree(finding) : show_other(finding, settings);
}

void resources_failed(const char *peer, copal_error error) {
  struct json json;
  char name[ERROR_NAME_MAX];
  error_name(error, name);
  json_begin(&json, stdout);
  json_text(&json, "kind", "error");
  json_text(&json, "peer", peer);
  tell_error(&json, name, copal_error_text(error), status_of_error(error));
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
  if (status == STATUS_SUCCESS) response_show_body(finding->body, format);
  return status;
}

static enum status tell_links(const struct finding *finding) {
  if (!links_check(finding->body)) {
    resources_failed(finding->peer, COPAL_ERR_LINK_SYNTAX);
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
  tell_error(&json, "no_links", "the answer is no list of links", status);
  json_end(&json);
  return status;
}

static void tell_error(struct json *json, const char *name, const char *message, enum status status) {
  json_object(json, "error");
  json_text(json, "name", name);
  json_text(json, "message", message);
  json_close(json);
  json_uint(json, "status", (uint64_t)status);
}

/* COPAL_ERR_BODY_SIZE is "body_size": the names of error.h, which never change. */
static void error_name(copal_error error, char *name) {
  static const char prefix[] = "COPAL_ERR_";
  const char *constant = copal_error_name(error);
  if (constant == NULL) constant = "unknown";
  if (strncmp(constant, prefix, sizeof prefix - 1) == 0) constant += sizeof prefix - 1;
  snprintf(name, ERROR_NAME_MAX, "%s", constant);
  for (char *at = name; *at != '\0'; ++at) {
    if (*at >= 'A' && *at <= 'Z') *at = (char)(*at - 'A' + 'a');
  }
}
