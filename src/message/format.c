/* The registry of Content-Formats: a number's media type, and the number of a media type as people write it.
 *
 * Only formats that a published document assigns are listed; temporary registrations are not. Must not know messages.
 * Sources: RFC 7252 section 12.3 and the IANA "CoAP Content-Formats" registry; RFC 9193 for the notation
 * "type@coding". */
#include "copal/message.h"

static const struct format {
  uint16_t number;
  const char *name;
} formats[] = {
    {0, "text/plain; charset=utf-8"},                                 /* RFC 7252 */
    {16, "application/cose; cose-type=\"cose-encrypt0\""},            /* RFC 9052 */
    {17, "application/cose; cose-type=\"cose-mac0\""},                /* RFC 9052 */
    {18, "application/cose; cose-type=\"cose-sign1\""},               /* RFC 9052 */
    {19, "application/ace+cbor"},                                     /* RFC 9200 */
    {21, "image/gif"},                                                /* GIF89a */
    {22, "image/jpeg"},                                               /* ISO/IEC 10918-5 */
    {23, "image/png"},                                                /* W3C PNG */
    {40, "application/link-format"},                                  /* RFC 6690 */
    {41, "application/xml"},                                          /* RFC 7252 */
    {42, "application/octet-stream"},                                 /* RFC 7252 */
    {47, "application/exi"},                                          /* RFC 7252 */
    {50, "application/json"},                                         /* RFC 7252 */
    {51, "application/json-patch+json"},                              /* RFC 8132 */
    {52, "application/merge-patch+json"},                             /* RFC 8132 */
    {60, "application/cbor"},                                         /* RFC 8949 */
    {61, "application/cwt"},                                          /* RFC 8392 */
    {62, "application/multipart-core"},                               /* RFC 8710 */
    {63, "application/cbor-seq"},                                     /* RFC 8742 */
    {64, "application/edhoc+cbor-seq"},                               /* RFC 9528 */
    {65, "application/cid-edhoc+cbor-seq"},                           /* RFC 9528 */
    {96, "application/cose; cose-type=\"cose-encrypt\""},             /* RFC 9052 */
    {97, "application/cose; cose-type=\"cose-mac\""},                 /* RFC 9052 */
    {98, "application/cose; cose-type=\"cose-sign\""},                /* RFC 9052 */
    {101, "application/cose-key"},                                    /* RFC 9052 */
    {102, "application/cose-key-set"},                                /* RFC 9052 */
    {110, "application/senml+json"},                                  /* RFC 8428 */
    {111, "application/sensml+json"},                                 /* RFC 8428 */
    {112, "application/senml+cbor"},                                  /* RFC 8428 */
    {113, "application/sensml+cbor"},                                 /* RFC 8428 */
    {114, "application/senml-exi"},                                   /* RFC 8428 */
    {115, "application/sensml-exi"},                                  /* RFC 8428 */
    {140, "application/yang-data+cbor; id=sid"},                      /* RFC 9254 */
    {256, "application/coap-group+json"},                             /* RFC 7390 */
    {257, "application/concise-problem-details+cbor"},                /* RFC 9290 */
    {258, "application/swid+cbor"},                                   /* RFC 9393 */
    {259, "application/pkixcmp"},                                     /* RFC 9482 */
    {260, "application/yang-sid+json"},                               /* RFC 9595 */
    {261, "application/ace-groupcomm+cbor"},                          /* RFC 9594 */
    {262, "application/ace-trl+cbor"},                                /* RFC 9770 */
    {263, "application/eat+cwt"},                                     /* RFC 9782 */
    {264, "application/eat+jwt"},                                     /* RFC 9782 */
    {265, "application/eat-bun+cbor"},                                /* RFC 9782 */
    {266, "application/eat-bun+json"},                                /* RFC 9782 */
    {267, "application/eat-ucs+cbor"},                                /* RFC 9782 */
    {268, "application/eat-ucs+json"},                                /* RFC 9782 */
    {269, "application/coap-eap"},                                    /* RFC 9820 */
    {271, "application/dots+cbor"},                                   /* RFC 9132 */
    {272, "application/missing-blocks+cbor-seq"},                     /* RFC 9177 */
    {280, "application/pkcs7-mime; smime-type=server-generated-key"}, /* RFC 9148 */
    {281, "application/pkcs7-mime; smime-type=certs-only"},           /* RFC 9148 */
    {284, "application/pkcs8"},                                       /* RFC 9148 */
    {285, "application/csrattrs"},                                    /* RFC 9148 */
    {286, "application/pkcs10"},                                      /* RFC 9148 */
    {287, "application/pkix-cert"},                                   /* RFC 9148 */
    {290, "application/aif+cbor"},                                    /* RFC 9237 */
    {291, "application/aif+json"},                                    /* RFC 9237 */
    {310, "application/senml+xml"},                                   /* RFC 8428 */
    {311, "application/sensml+xml"},                                  /* RFC 8428 */
    {320, "application/senml-etch+json"},                             /* RFC 8790 */
    {322, "application/senml-etch+cbor"},                             /* RFC 8790 */
    {340, "application/yang-data+cbor"},                              /* RFC 9254 */
    {341, "application/yang-data+cbor; id=name"},                     /* RFC 9254 */
    {432, "application/td+json"},                                     /* W3C Thing Description 1.1 */
    {433, "application/tm+json"},                                     /* W3C Thing Description 1.1 */
    {434, "application/sdf+json"},                                    /* RFC 9880 */
    {601, "application/uccs+cbor"},                                   /* RFC 9781 */
    {10000, "application/vnd.ocf+cbor"},                              /* OCF */
    {10001, "application/oscore"},                                    /* RFC 8613 */
    {10002, "application/javascript"},                                /* RFC 4329 */
    {11050, "application/json@deflate"},                              /* RFC 8259, RFC 9110 */
    {11060, "application/cbor@deflate"},                              /* RFC 8949, RFC 9110 */
    {11542, "application/vnd.oma.lwm2m+tlv"},                         /* OMA LwM2M 1.0 */
    {11543, "application/vnd.oma.lwm2m+json"},                        /* OMA LwM2M 1.0 */
    {11544, "application/vnd.oma.lwm2m+cbor"},                        /* OMA LwM2M 1.2 */
    {20000, "text/css"},                                              /* RFC 2318 */
    {30000, "image/svg+xml"},                                         /* W3C SVG */
};

#define FORMAT_COUNT (sizeof formats / sizeof formats[0])

static const struct format short_names[] = {
    {COPAL_TEXT_PLAIN, "text"},
    {COPAL_LINK_FORMAT, "link"},
    {COPAL_OCTET_STREAM, "octets"},
};

static bool is_number(const char *text);
static int number_of(const char *text);
static bool same_format(const char *a, const char *b);
static const char *subtype_of(const char *name);

const char *copal_content_format_name(uint16_t number) {
  size_t low = 0, high = FORMAT_COUNT;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (formats[middle].number == number) return formats[middle].name;
    if (formats[middle].number < number) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return NULL;
}

int copal_content_format_by_name(const char *name) {
  if (is_number(name)) return number_of(name);
  for (size_t index = 0; index < sizeof short_names / sizeof short_names[0]; ++index) {
    if (same_format(name, short_names[index].name)) return short_names[index].number;
  }
  for (size_t index = 0; index < FORMAT_COUNT; ++index) {
    if (same_format(name, formats[index].name) || same_format(name, subtype_of(formats[index].name))) {
      return formats[index].number;
    }
  }
  return COPAL_ERR_NOT_FOUND;
}

int copal_content_format_at(size_t index) { return index < FORMAT_COUNT ? formats[index].number : COPAL_ERR_NOT_FOUND; }

static bool is_number(const char *text) {
  if (*text == '\0') return false;
  while (*text >= '0' && *text <= '9') ++text;
  return *text == '\0';
}

static int number_of(const char *text) {
  int number = 0;
  for (; *text != '\0'; ++text) {
    number = number * 10 + (*text - '0');
    if (number > 65535) return COPAL_ERR_NOT_FOUND;
  }
  return number;
}

static const char *subtype_of(const char *name) {
  while (*name != '/') ++name;
  return name + 1;
}

static char fold(char letter) { return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter; }

static bool is_skipped(char letter) { return letter == ' ' || letter == '\t' || letter == '"'; }

/* The text after a parameter ";charset=..." that begins here; NULL when it is none. */
static const char *behind_charset(const char *text) {
  static const char parameter[] = ";charset=";
  for (const char *expected = parameter; *expected != '\0'; ++expected, ++text) {
    while (is_skipped(*text)) ++text;
    if (fold(*text) != *expected) return NULL;
  }
  while (*text != '\0' && *text != ';' && *text != '@') ++text;
  return text;
}

/* Takes the next letter that counts off the front of a media type; NUL at its end. */
static char next_letter(const char **text) {
  for (;;) {
    while (is_skipped(**text)) ++*text;
    const char *behind = behind_charset(*text);
    if (behind == NULL) break;
    *text = behind;
  }
  char letter = fold(**text);
  if (letter != '\0') ++*text;
  return letter;
}

static bool same_format(const char *a, const char *b) {
  for (;;) {
    char letter = next_letter(&a);
    if (letter != next_letter(&b)) return false;
    if (letter == '\0') return true;
  }
}
