/* Replies that say what is wrong: concise problem details, RFC 9290. */
#include "base/text.h"
#include "rest/request.h"

static copal_bytes bytes_of(const char *text) {
  copal_bytes bytes = {(const uint8_t *)text, text == NULL ? 0 : text_size(text)};
  return bytes;
}

copal_bytes request_title(uint8_t code) { return bytes_of(copal_code_name(code)); }

bool request_put_problem(copal_message *reply, const copal_problem *problem) {
  copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_PROBLEM);
  size_t room;
  uint8_t *payload = copal_message_payload_room(reply, &room);
  int size = payload == NULL ? COPAL_ERR_SPACE : copal_problem_write(problem, payload, room);
  if (size > 0) copal_message_set_payload(reply, payload, (size_t)size);
  return size > 0;
}

/* Where not all of it has room, the detail is left out, and then the title. */
copal_error copal_reply_problem(copal_request *request, copal_code code, const char *detail) {
  copal_problem problem = {.title = request_title((uint8_t)code), .detail = bytes_of(detail)};
  request_begin_reply(request, (uint8_t)code);
  if (request_put_problem(&request->reply, &problem)) return COPAL_OK;
  problem.detail.size = 0;
  request_begin_reply(request, (uint8_t)code);
  if (!request_put_problem(&request->reply, &problem)) request_begin_reply(request, (uint8_t)code);
  return COPAL_OK;
}

copal_error copal_reply_code(copal_request *request, copal_code code) {
  if (COPAL_CODE_CLASS(code) == 4 || COPAL_CODE_CLASS(code) == 5) return copal_reply_problem(request, code, NULL);
  return copal_reply(request, code, COPAL_FORMAT_NONE, NULL, 0);
}
