/* libcoap's part of the codec benchmark, by its public functions. Its decoder fills a PDU object, which its own receive
 * path allocates for each datagram; both ways are measured, with and without that. Its builder allocates a PDU, too,
 * and leaves the 4-byte header for the moment of sending, so that building is favoured by that much here. */
#include <coap3/coap.h>
#include <stdlib.h>

#include "bench/codec.h"

static uint64_t walk(const coap_pdu_t *pdu) {
  coap_opt_iterator_t iterator;
  const coap_opt_t *option;
  const uint8_t *payload;
  size_t payload_size = 0;
  uint64_t sum = 0;
  coap_option_iterator_init(pdu, &iterator, COAP_OPT_ALL);
  while ((option = coap_option_next(&iterator)) != NULL)
    sum += codec_sum_option(iterator.number, coap_opt_length(option), coap_opt_value(option));
  coap_get_data(pdu, &payload_size, &payload);
  return sum + codec_sum_message((uint8_t)coap_pdu_get_code(pdu), (uint16_t)coap_pdu_get_mid(pdu), payload_size);
}

static uint64_t parse(const struct codec_sample *sample, coap_pdu_t *pdu) {
  if (pdu == NULL || coap_pdu_parse(COAP_PROTO_UDP, sample->bytes, sample->size, pdu) == 0) abort();
  return walk(pdu);
}

static uint64_t decode_into_kept(const struct codec_sample *sample, size_t times) {
  static coap_pdu_t *pdu;
  if (pdu == NULL) pdu = coap_pdu_init(COAP_MESSAGE_CON, COAP_EMPTY_CODE, 0, CODEC_SIZE_MAX);
  uint64_t sum = 0;
  while (times-- > 0) sum += parse(sample, pdu);
  return sum;
}

static uint64_t decode_into_new(const struct codec_sample *sample, size_t times) {
  uint64_t sum = 0;
  while (times-- > 0) {
    coap_pdu_t *pdu = coap_pdu_init(COAP_MESSAGE_CON, COAP_EMPTY_CODE, 0, CODEC_SIZE_MAX);
    sum += parse(sample, pdu);
    coap_delete_pdu(pdu);
  }
  return sum;
}

static size_t build_once(const struct codec_sample *sample) {
  coap_pdu_t *pdu =
      coap_pdu_init((coap_pdu_type_t)sample->type, (coap_pdu_code_t)sample->code, sample->message_id, CODEC_SIZE_MAX);
  if (pdu == NULL) abort();
  if (sample->token_size > 0 && coap_add_token(pdu, sample->token_size, sample->token) == 0) abort();
  size_t size = 4u + sample->token_size;
  for (size_t i = 0; i < sample->options_count; ++i) {
    const struct codec_option *option = &sample->options[i];
    size += coap_add_option(pdu, option->number, option->size, option->value);
  }
  if (sample->payload_size > 0) {
    if (coap_add_data(pdu, sample->payload_size, sample->payload) == 0) abort();
    size += 1 + sample->payload_size;
  }
  coap_delete_pdu(pdu);
  return size;
}

static uint64_t build(const struct codec_sample *sample, size_t times) {
  uint64_t sum = 0;
  while (times-- > 0) sum += build_once(sample);
  return sum;
}

const struct codec_rival *codec_rivals(size_t *count) {
  static const struct codec_rival rivals[] = {
      {"libcoap, PDU kept", "decode", decode_into_kept, 0},
      {"libcoap, PDU new", "decode", decode_into_new, 0},
      {"libcoap", "encode", build, 1},
  };
  *count = sizeof rivals / sizeof *rivals;
  return rivals;
}
