/* See upload.h. */
#include "rest/upload.h"

#include <assert.h>

#include "engine/engine.h"

/* What Block1, Size1 and Request-Tag take at most, and Block2 where it is added to the last block. */
enum { BLOCK_OPTIONS_SIZE = 17, NEGOTIATION_SIZE = 3 };

/* --- Reading ------------------------------------------------------------------------------------ */

static copal_bytes kept_body(const struct operations *operations, const struct operation *operation) {
  const uint8_t *request = store_bytes(operations->store, operation->request);
  return (copal_bytes){request + operation->head_size + 1, (size_t)operation->upload.total};
}

static uint64_t read(struct operations *operations, const struct operation *operation, uint64_t offset, uint8_t *buffer,
                     size_t size) {
  const struct upload *upload = &operation->upload;
  if (upload->read == NULL) {
    memcpy(buffer, kept_body(operations, operation).data + offset, size);
    return size;
  }
  operations->in_body = true;
  uint64_t got = upload->read(operation->body_context, offset, buffer, size);
  operations->in_body = false;
  return got;
}

/* Reads up to size bytes from offset on, and tells whether more follow. Of a body of unknown size, a byte is read
 * ahead. */
static copal_error read_part(struct operations *operations, struct operation *operation, uint64_t offset,
                             uint32_t size) {
  struct upload *upload = &operation->upload;
  assert(size <= BLOCK_SIZE_MAX);
  bool known = upload->total != COPAL_SIZE_UNKNOWN;
  uint64_t left = known ? upload->total - offset : (uint64_t)size + 1;
  uint32_t asked = left > size && known ? size : (uint32_t)left;
  uint64_t got = read(operations, operation, offset, operations->block, asked);
  if (got > asked || (known && got < asked)) return COPAL_ERR_BODY_READ;
  upload->more = known ? left > size : got > size;
  upload->size = got > size ? size : (uint32_t)got;
  return COPAL_OK;
}

/* Up to size bytes, fewer only at the end; COPAL_SIZE_UNKNOWN where that fails. */
static uint64_t look_at(struct operations *operations, const struct operation *operation, uint64_t offset,
                        uint8_t *buffer, size_t size) {
  uint64_t total = operation->upload.total;
  bool known = total != COPAL_SIZE_UNKNOWN;
  if (known && total - offset < size) size = (size_t)(total - offset);
  uint64_t got = size > 0 ? read(operations, operation, offset, buffer, size) : 0;
  return got > size || (known && got < size) ? COPAL_SIZE_UNKNOWN : got;
}

bool upload_is_same(struct operations *operations, const struct operation *a, const struct operation *b) {
  uint32_t part = operations->message_size_max < BLOCK_SIZE_MAX ? operations->message_size_max : BLOCK_SIZE_MAX;
  uint64_t offset = 0, got = part;
  for (uint32_t number = 0; got == part && number <= BLOCK_NUMBER_MAX; ++number, offset += part) {
    got = look_at(operations, a, offset, operations->block, part);
    if (got == COPAL_SIZE_UNKNOWN || look_at(operations, b, offset, operations->scratch, part) != got) return false;
    if (memcmp(operations->block, operations->scratch, (size_t)got) != 0) return false;
  }
  return got < part;
}

/* --- The next block ----------------------------------------------------------------------------- */

/* RFC 9177 4.3: "When the Q-Block1 option is used, the client MUST include a Request-Tag option … The Request-Tag
 * value MUST be the same for all of the requests for the body of data that is being transferred." */
void upload_add_tag(const struct operation *operation, copal_message *message) {
  uint8_t tag[REQUEST_TAG_SIZE] = {(uint8_t)(operation->tag >> 16), (uint8_t)(operation->tag >> 8),
                                   (uint8_t)operation->tag};
  copal_message_add(message, COPAL_OPTION_REQUEST_TAG, tag, sizeof tag);
}

static void add_size(const struct upload *upload, bool quick, copal_message *message) {
  /* RFC 7959 4: "If the size estimate does not change, the indication does not need to be repeated for every block."
   * RFC 9177 4.6: with Q-Block1 it "MUST be present in all payloads of the request, preserving the same value". */
  if ((upload->offset > 0 && !quick) || upload->total > UINT32_MAX) return;
  copal_message_delete(message, COPAL_OPTION_SIZE1);
  copal_message_add_uint(message, COPAL_OPTION_SIZE1, (uint32_t)upload->total);
}

static copal_error add_block(struct operations *operations, struct operation *operation, copal_message *message,
                             size_t room) {
  struct upload *upload = &operation->upload;
  bool quick = operation->quick.state != QUICK_OFF;
  if (room < BLOCK_OPTIONS_SIZE + block_size(0)) return COPAL_ERR_MESSAGE_SIZE;
  while (block_size(upload->szx) > room - BLOCK_OPTIONS_SIZE) --upload->szx;
  uint64_t number = upload->offset / block_size(upload->szx);
  uint64_t last = upload->total != COPAL_SIZE_UNKNOWN ? (upload->total - 1) / block_size(upload->szx) : number;
  if (last > BLOCK_NUMBER_MAX) return COPAL_ERR_BODY_SIZE;
  copal_error error = read_part(operations, operation, upload->offset, block_size(upload->szx));
  if (error != COPAL_OK) return error;
  copal_block block = {(uint32_t)number, upload->more, upload->szx};
  copal_message_add_uint(message, quick ? COPAL_OPTION_Q_BLOCK1 : COPAL_OPTION_BLOCK1, copal_block_value(block));
  add_size(upload, quick, message);
  upload_add_tag(operation, message);
  copal_message_set_payload(message, operations->block, upload->size);
  ++upload->blocks;
  return COPAL_OK;
}

/* The next one of blocks that go one by one, or that of an offer. The blocks of a burst have a token of another size
 * than the application's may be. */
static copal_error add_first(struct operations *operations, struct operation *operation, copal_message *message,
                             size_t room) {
  bool quick = operation->quick.state != QUICK_OFF;
  size_t token = quick ? EXCHANGE_TOKEN_SIZE : 0;
  return add_block(operations, operation, message, room > token ? room - token : 0);
}

/* Whether an option goes with it that tells the size of the response's blocks. */
static bool asks_for_size(const struct operation *operation) {
  return operation->negotiates || operation->quick.state != QUICK_OFF;
}

/* What options leave that go with a block. */
static size_t block_room(const struct operation *operation, copal_message *message) {
  size_t room, others = asks_for_size(operation) ? NEGOTIATION_SIZE : 0;
  copal_message_payload_room(message, &room);
  return room > others ? room - others : 0;
}

copal_error upload_add_block(struct operations *operations, struct operation *operation, uint32_t number,
                             copal_message *message) {
  struct upload *upload = &operation->upload;
  /* RFC 9177 4.3 knows blocks by their number, so all have one size. The first had room for this token, but perhaps not
   * for an Echo value that has come since, which SHOULD be echoed. */
  if (block_room(operation, message) < BLOCK_OPTIONS_SIZE + block_size(upload->szx))
    copal_message_delete(message, COPAL_OPTION_ECHO);
  upload->offset = (uint64_t)number << (upload->szx + 4);
  return add_block(operations, operation, message, block_room(operation, message));
}

copal_error upload_add(struct operations *operations, struct operation *operation, copal_message *message) {
  struct upload *upload = &operation->upload;
  if (upload->total == 0) return COPAL_OK;
  size_t room = block_room(operation, message);
  if (upload->in_blocks) return add_first(operations, operation, message, room);

  bool alone = operation->plain || operation->multicast;
  uint32_t limit = alone ? BLOCK_SIZE_MAX : block_size(upload->szx);
  if (limit > room) limit = (uint32_t)room;
  upload->more = upload->total > limit;
  if (!upload->more || upload->total == COPAL_SIZE_UNKNOWN) {
    copal_error error = read_part(operations, operation, 0, limit);
    if (error != COPAL_OK) return error;
  }
  if (!upload->more) {
    copal_message_set_payload(message, operations->block, upload->size);
    return COPAL_OK;
  }
  if (alone) return COPAL_ERR_MESSAGE_SIZE;
  upload->in_blocks = true;
  return add_first(operations, operation, message, room);
}

/* --- What the server says ----------------------------------------------------------------------- */

void upload_restart(struct upload *upload) {
  upload->offset = 0;
  upload->size = 0;
  upload->more = false;
}

/* RFC 7959 2.9.3: "a 4.13 response to a request with a Block1 Option … where the response carries a smaller SZX in its
 * Block1 Option is a hint to try that smaller SZX", and without one in the request "a hint for the client to try
 * sending Block1". */
bool upload_shrink(struct upload *upload, copal_block hint) {
  bool smaller = upload->in_blocks ? hint.szx < upload->szx : block_size(hint.szx) < upload->size;
  /* Each hint is smaller than the last one: there are few. */
  if (!smaller) return false;
  upload->in_blocks = true;
  upload->szx = hint.szx;
  upload_restart(upload);
  return true;
}

/* RFC 7959 2.9.2: the blocks were "not sent … in the order required by the server, or has sent them long enough ago
 * that the server has already discarded them". */
static bool begin_anew(struct upload *upload) {
  if (upload->restarted || upload->offset == 0) return false;
  upload->restarted = true;
  upload_restart(upload);
  return true;
}

/* A server may count the block that it acknowledges in its own, smaller size. */
static bool acknowledges(const struct upload *upload, copal_block block) {
  if (block.szx > BLOCK_SZX_MAX) return false;
  return block.number == upload->offset / block_size(upload->szx) ||
         (uint64_t)block.number * block_size(block.szx) == upload->offset;
}

enum step upload_receive(struct operation *operation, const copal_view *response, copal_error *error) {
  struct upload *upload = &operation->upload;
  if (upload->total == 0) return STEP_DELIVER;
  copal_option option;
  bool has_block = copal_find(response, COPAL_OPTION_BLOCK1, &option);
  copal_block block = copal_block_of(has_block ? copal_option_uint(&option) : 0);
  if (response->code == COPAL_REQUEST_ENTITY_TOO_LARGE && has_block && block.szx <= BLOCK_SZX_MAX)
    return upload_shrink(upload, block) ? STEP_SEND : STEP_DELIVER;
  if (response->code == COPAL_REQUEST_ENTITY_INCOMPLETE) return begin_anew(upload) ? STEP_SEND : STEP_DELIVER;
  if (COPAL_CODE_CLASS(response->code) != 2) return STEP_DELIVER;
  if (!upload->more) {
    /* RFC 7959 2.9.1: 2.31 is never the answer to the last block. */
    if (response->code != COPAL_CONTINUE) return STEP_DELIVER;
    *error = COPAL_ERR_BODY_BLOCKS;
    return STEP_FAIL;
  }
  /* A final answer before the last block, to none of them. */
  if (response->code != COPAL_CONTINUE && !has_block) return STEP_DELIVER;
  if (has_block && !acknowledges(upload, block)) {
    *error = COPAL_ERR_BODY_BLOCKS;
    return STEP_FAIL;
  }
  upload->offset += upload->size;
  /* RFC 7959 2.3: "the client SHOULD use this block size or a smaller one in all further requests in the transfer
   * sequence, even if that means changing the block size (and possibly scaling the block number accordingly)". */
  if (has_block && block.szx < upload->szx) upload->szx = block.szx;
  return STEP_SEND;
}
