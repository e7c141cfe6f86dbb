/* The plugtests TD_COAP_BLOCK of CoAP#4: bodies in blocks (RFC 7959). Above each stands what must be observed. */
#include <stdio.h>

#include "plugtest/plugtest.h"

enum { BOTH = AS_SERVER | AS_CLIENT, LARGE_SIZE = 1500, TEXT_MAX = 64 };

/* A body in which each block is told by its bytes. */
static const uint8_t *large_body(void) {
  static uint8_t body[LARGE_SIZE];
  for (size_t i = 0; i < sizeof body; i += 10) snprintf((char *)body + i, sizeof body - i, "%08zu.", i);
  for (size_t i = 0; i < sizeof body; ++i)
    if (body[i] == 0) body[i] = '.';
  return body;
}

static copal_block block_of(const struct passed *passed, uint16_t number) {
  copal_option option;
  if (!copal_find(&passed->view, number, &option)) fail_msg("option %u is missing", number);
  return copal_block_of(copal_option_uint(&option));
}

static size_t size_of(copal_block block) { return (size_t)16 << block.szx; }

/* Follows a body from the server to the client, whose first block is here, to its last one. "payload exactly
 * 2^(SZX+4); loop 1..n; last M=0", and what the client is told is what passed. */
static void follow_download(struct bench *bench, const struct passed *first, const char *method, uint8_t code) {
  char pattern[TEXT_MAX];
  copal_block block = block_of(first, COPAL_OPTION_BLOCK2);
  const struct passed *response = first;
  size_t at = 0;
  uint8_t body[BODY_MAX];
  for (;;) {
    size_t size = response->view.payload.size;
    assert_true(block.more ? size == size_of(block) : size <= size_of(block) && size > 0);
    assert_true(at + size <= sizeof body);
    memcpy(body + at, response->view.payload.data, size);
    at += size;
    if (!block.more) break;
    snprintf(pattern, sizeof pattern, "CON %s /* 2:%zu/0/%zu", method, at / size_of(block), size_of(block));
    const struct passed *request = client_sends(bench, pattern);
    snprintf(pattern, sizeof pattern, "ACK %d.%02d*2:%zu/?/%zu +", code >> 5, code & 31, at / size_of(block),
             size_of(block));
    response = server_sends(bench, pattern);
    assert_same_mid(request, response);
    assert_same_token(request, response);
    block = block_of(response, COPAL_OPTION_BLOCK2);
  }
  told(bench, code);
  assert_int_equal(bench->told.size, at);
  assert_memory_equal(bench->told.body, body, at);
}

static void download(struct bench *bench, uint16_t block_size) {
  char pattern[TEXT_MAX];
  ask(bench, "CON GET /large", &(struct wish){.block_size = block_size});
  snprintf(pattern, sizeof pattern, "CON GET /large 2:0/0/%u", block_size);
  const struct passed *request = client_sends(bench, pattern);
  const struct passed *response = server_sends(bench, "ACK 2.05 cf:* 2:0/1/* +");
  assert_same_mid(request, response);
  assert_same_token(request, response);
  assert_true(size_of(block_of(response, COPAL_OPTION_BLOCK2)) <= block_size);
  follow_download(bench, response, "GET", COPAL_CONTENT);
}

/* "2.05 Block2 0/1/ACT<=DES, payload exactly 2^(SZX+4); loop 1..n; last M=0" */
static void block_01(struct bench *bench) { download(bench, 64); }

/* "GET without Block2 -> server starts Block2 0/1/x, client may continue smaller" */
static void block_02(struct bench *bench) {
  ask(bench, "CON GET /large", NULL);
  const struct passed *request = client_sends(bench, "CON GET /large");
  const struct passed *response = server_sends(bench, "ACK 2.05 cf:* 2:0/1/* +");
  assert_same_mid(request, response);
  follow_download(bench, response, "GET", COPAL_CONTENT);
}

/* "client may continue smaller at NUM=2^(DES-ACT)": our client does not; a server must let others. */
static void continue_smaller(struct bench *bench) {
  hand_sends(bench, "CON GET /large token:01");
  const struct passed *first = server_sends(bench, "ACK 2.05 cf:* 2:0/1/* +");
  copal_block block = block_of(first, COPAL_OPTION_BLOCK2);
  char text[TEXT_MAX];
  size_t size = size_of(block) / 2;
  snprintf(text, sizeof text, "CON GET /large 2:2/0/%zu token:02", size);
  hand_sends(bench, text);
  snprintf(text, sizeof text, "ACK 2.05 cf:* 2:2/1/%zu +", size);
  assert_int_equal(server_sends(bench, text)->view.payload.size, size);
}

/* Follows a body from the client to the server, up to the last block, whose answer is returned. "2.31 (M=1, atomic) or
 * 2.04 (M=0, stateless), size may shrink and client continues with rescaled NUM; last M=0" */
static const struct passed *follow_upload(struct bench *bench, const char *words, const char *last) {
  char pattern[TEXT_MAX];
  size_t at = 0;
  for (size_t size = 64;;) {
    bool more = at + size < LARGE_SIZE;
    snprintf(pattern, sizeof pattern, "CON %s*1:%zu/%d/%zu +", words, at / size, more, size);
    const struct passed *request = client_sends(bench, pattern);
    assert_int_equal(request->view.payload.size, more ? size : LARGE_SIZE - at);
    assert_memory_equal(request->view.payload.data, large_body() + at, request->view.payload.size);
    snprintf(pattern, sizeof pattern, "ACK %s*1:%zu/%c/*", more ? "2.*" : last, at / size, more ? '?' : '0');
    if (!more && !bench->is_ours) snprintf(pattern, sizeof pattern, "ACK %s", last);
    const struct passed *response = server_sends(bench, pattern);
    assert_same_mid(request, response);
    assert_same_token(request, response);
    if (!more) return response;
    copal_block block = block_of(response, COPAL_OPTION_BLOCK1);
    assert_int_equal(response->view.code, block.more ? COPAL_CONTINUE : COPAL_CHANGED);
    assert_true(size_of(block) <= size);
    at += size;
    size = size_of(block);
  }
}

static const struct passed *upload(struct bench *bench, const char *words, const char *last) {
  char text[TEXT_MAX];
  snprintf(text, sizeof text, "CON %s cf:0", words);
  ask(bench, text, &(struct wish){.payload = large_body(), .size = LARGE_SIZE, .block_size = 64});
  return follow_upload(bench, words, last);
}

/* "PUT /large-update Block1 0/1/DES -> …; last 2.04 M=0; resource complete" */
static void block_03(struct bench *bench) {
  upload(bench, "PUT /large-update", "2.04");
  told(bench, COPAL_CHANGED);
  ask(bench, "CON GET /large-update", NULL);
  told(bench, COPAL_CONTENT);
  assert_int_equal(bench->told.size, LARGE_SIZE);
  assert_memory_equal(bench->told.body, large_body(), LARGE_SIZE);
}

/* "POST /large-create -> 2.31 ..., 2.01 + Location-Path {large-create, x}; optional GET of the new location" */
static void block_04(struct bench *bench) {
  bool is_libcoap = strcmp(bench->peer, "libcoap") == 0;
  const char *request = is_libcoap ? "POST /large-create/1" : "POST /large-create";
  const struct passed *created = upload(bench, request, "2.01 at:/large-create/*");
  char path[TEXT_MAX] = "CON GET ";
  size_t size = strlen(path);
  copal_options walk = copal_options_of(&created->view);
  copal_option option;
  told(bench, COPAL_CREATED);
  while (copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_LOCATION_PATH) continue;
    size += (size_t)snprintf(path + size, sizeof path - size, "/%.*s", (int)option.size, (const char *)option.value);
  }
  ask(bench, path, NULL);
  told(bench, COPAL_CONTENT);
  assert_int_equal(bench->told.size, LARGE_SIZE);
  assert_memory_equal(bench->told.body, large_body(), LARGE_SIZE);
}

/* "2.31s, then 2.04 with Block1 n/0 and Block2 0/1; client fetches the rest with POSTs without payload and without
 * Block1" */
static void block_05(struct bench *bench) {
  const struct passed *response = upload(bench, "POST /large-post", "2.04 cf:* 2:0/1/*");
  assert_int_equal(block_of(response, COPAL_OPTION_BLOCK2).number, 0);
  follow_download(bench, response, "POST", strcmp(bench->peer, "node") == 0 ? COPAL_CONTENT : COPAL_CHANGED);
}

/* "= 01 with 16-byte blocks" */
static void block_06(struct bench *bench) { download(bench, 16); }

static void block_02_both(struct bench *bench) {
  block_02(bench);
  if (bench->is_ours) continue_smaller(bench);
}

#define NO_BLOCK1 "but: the last answer lacks its Block1 option"

static const struct plugtest tests[] = {
    {"TD_COAP_BLOCK_01", "GET in blocks, size chosen early", block_01, BOTH, NULL, NULL, NULL},
    {"TD_COAP_BLOCK_02", "GET in blocks, size chosen late", block_02_both, BOTH, NULL, NULL, NULL},
    {"TD_COAP_BLOCK_03", "PUT in blocks", block_03, BOTH, NULL, NO_BLOCK1, NO_BLOCK1},
    {"TD_COAP_BLOCK_04", "POST in blocks that creates", block_04, BOTH, NULL, NO_BLOCK1, NO_BLOCK1},
    {"TD_COAP_BLOCK_05", "POST in blocks both ways", block_05, BOTH, NULL,
     "no: coap-server answers no POST with a body",
     "but: the first answer lacks its Block1 option, and the others are 2.05"},
    {"TD_COAP_BLOCK_06", "GET in blocks of 16 bytes", block_06, BOTH, NULL, NULL,
     "no: node-coap sends blocks of 16 bytes without their bytes"},
};

int main(int argc, char **argv) { return plugtest_run(tests, sizeof tests / sizeof *tests, argc, argv); }
