/* See download.h. */
#include "rest/download.h"

#include <assert.h>

#include "rest/upload.h"

static enum step fail(copal_error *error, copal_error cause) {
  *error = cause;
  return STEP_FAIL;
}

/* --- Where it goes ------------------------------------------------------------------------------ */

static copal_error write(struct operations *operations, struct operation *operation, copal_bytes data) {
  struct download *download = &operation->download;
  operations->in_body = true;
  bool taken = download->write(operation->body_context, download->size, data.data, data.size);
  operations->in_body = false;
  download->written = true;
  return taken ? COPAL_OK : COPAL_ERR_BODY_WRITE;
}

copal_error download_put(struct operations *operations, struct operation *operation, copal_bytes data) {
  struct download *download = &operation->download;
  if (download->writing) {
    copal_error error = write(operations, operation, data);
    if (error != COPAL_OK) return error;
  } else {
    if (data.size > download->capacity - download->size) return COPAL_ERR_BODY_SIZE;
    memcpy(download->buffer + download->size, data.data, data.size);
  }
  download->size += data.size;
  ++download->blocks;
  return COPAL_OK;
}

/* --- Of one representation ---------------------------------------------------------------------- */

static copal_bytes etag_of(const copal_view *response) {
  copal_option option;
  if (!copal_find(response, COPAL_OPTION_ETAG, &option) || option.size > 8) return (copal_bytes){NULL, 0};
  return (copal_bytes){option.value, option.size};
}

static uint32_t format_of(const copal_view *response) {
  return copal_find_uint(response, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
}

static void note_representation(struct download *download, const copal_view *response) {
  copal_bytes etag = etag_of(response);
  download->etag_size = (uint8_t)etag.size;
  if (etag.size > 0) memcpy(download->etag, etag.data, etag.size);
  download->content_format = format_of(response);
}

/* RFC 7959 2.4: "If an ETag Option is available, the client, when reassembling the representation from the blocks being
 * exchanged, MUST compare ETag Options." A Content-Format is the body's (2.3): a later block may lack it, as some of
 * node-coap's do. */
bool download_is_same(const struct download *download, const copal_view *response) {
  copal_bytes etag = etag_of(response);
  uint32_t format = format_of(response);
  if (format != COPAL_FORMAT_NONE && format != download->content_format) return false;
  if (etag.size != download->etag_size) return false;
  return etag.size == 0 || memcmp(etag.data, download->etag, etag.size) == 0;
}

/* RFC 7959 2.4: "If the ETag Options do not match in a GET transfer, the requester has the option of attempting to
 * retrieve fresh values for the blocks it retrieved first." Of other methods only FETCH may be repeated so. */
static bool may_begin_anew(const struct operation *operation) {
  return !operation->download.restarted && operation->reads;
}

enum step download_begin_anew(struct operation *operation, copal_error *error) {
  if (!may_begin_anew(operation)) return fail(error, COPAL_ERR_BODY_CHANGED);
  operation->download.restarted = true;
  operation->downloading = false;
  upload_restart(&operation->upload);
  return STEP_SEND;
}

/* --- Blocks ------------------------------------------------------------------------------------- */

static enum step take_block(struct operations *operations, struct operation *operation, const copal_view *response,
                            copal_block block, copal_error *error) {
  struct download *download = &operation->download;
  /* RFC 7959 2.3: "The block size implied by SZX MUST match the size of the payload in bytes, if the M bit is set." */
  bool is_block = block.szx <= BLOCK_SZX_MAX && (!block.more || response->payload.size == block_size(block.szx));
  if (!is_block || (uint64_t)block.number << (block.szx + 4) != download->size)
    return fail(error, COPAL_ERR_BODY_BLOCKS);
  copal_error cause = download_put(operations, operation, response->payload);
  if (cause != COPAL_OK) return fail(error, cause);
  /* RFC 7959 2.4: "the requester MUST take note of the actual block size used in the response it receives to its
   * initial request and proceed to use it in subsequent requests." */
  if (block.szx < download->szx) download->szx = block.szx;
  operation->downloading = block.more;
  return block.more ? STEP_SEND : STEP_DELIVER;
}

/* A body in one message stays where it is. An empty one is told to a writer that began with another version of it. */
static enum step take_whole(struct operations *operations, struct operation *operation, const copal_view *response,
                            copal_error *error) {
  struct download *download = &operation->download;
  operation->downloading = false;
  if (!download->writing || (response->payload.size == 0 && !download->written)) return STEP_DELIVER;
  copal_error cause = write(operations, operation, response->payload);
  return cause == COPAL_OK ? STEP_DELIVER : fail(error, cause);
}

void download_begin(struct operation *operation, const copal_view *response) {
  struct download *download = &operation->download;
  bool alone = operation->plain || operation->multicast;
  note_representation(download, response);
  download->size = 0;
  download->expected = copal_find_uint(response, COPAL_OPTION_SIZE2, 0);
  download->blocks = 0;
  download->szx = operation->szx_wanted;
  download->class = COPAL_CODE_CLASS(response->code);
  download->writing = download->write != NULL && download->class == 2 && !alone;
}

static enum step take_first(struct operations *operations, struct operation *operation, const copal_view *response,
                            copal_error *error) {
  struct download *download = &operation->download;
  copal_option option;
  bool has_block = copal_find(response, COPAL_OPTION_BLOCK2, &option);
  copal_block block = copal_block_of(has_block ? copal_option_uint(&option) : 0);
  bool alone = operation->plain || operation->multicast;
  download_begin(operation, response);
  download->in_blocks = has_block && !alone && (block.more || block.number > 0);
  if (!download->in_blocks) return take_whole(operations, operation, response, error);
  return take_block(operations, operation, response, block, error);
}

enum step download_receive(struct operations *operations, struct operation *operation, const copal_view *response,
                           copal_error *error) {
  struct download *download = &operation->download;
  if (!operation->downloading) return take_first(operations, operation, response, error);
  uint8_t class = COPAL_CODE_CLASS(response->code);
  if (class != download->class) {
    /* An error instead of the next block is the result; blocks of an error are followed by no others. */
    if (download->class != 2) return fail(error, COPAL_ERR_BODY_BLOCKS);
    /* RFC 7959 2.9.2: 4.08 also says that blocks have been discarded. What the rest of a response was to be made from
     * is forgotten, or was never kept: a FETCH's notification. */
    if (response->code == COPAL_REQUEST_ENTITY_INCOMPLETE && may_begin_anew(operation))
      return download_begin_anew(operation, error);
    return take_first(operations, operation, response, error);
  }
  if (!download_is_same(download, response)) return download_begin_anew(operation, error);
  copal_option option;
  if (!copal_find(response, COPAL_OPTION_BLOCK2, &option)) return fail(error, COPAL_ERR_BODY_BLOCKS);
  return take_block(operations, operation, response, copal_block_of(copal_option_uint(&option)), error);
}

copal_error download_add(const struct operation *operation, uint32_t behind, copal_message *message) {
  const struct download *download = &operation->download;
  uint64_t number = download->size / block_size(download->szx) + behind;
  assert(download->size % block_size(download->szx) == 0);
  if (number > BLOCK_NUMBER_MAX) return COPAL_ERR_BODY_SIZE;
  /* RFC 7959 2.4: "In a request, the client MUST set the M bit of a Block2 Option to zero and the server MUST ignore it
   * on reception." */
  copal_block block = {(uint32_t)number, false, download->szx};
  copal_message_add_uint(message, COPAL_OPTION_BLOCK2, copal_block_value(block));
  /* RFC 9175 3.4: "the Request-Tag of the Block1 phase is set in the Block2 phase as well". */
  if (operation->upload.in_blocks) upload_add_tag(operation, message);
  return COPAL_OK;
}
