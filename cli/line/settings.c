/* The option tables: data only. A subcommand names the tables that it takes; the parser and the help read them. */
#include "cli/line/settings.h"

#define FIELD(field) offsetof(struct settings, field)

struct settings settings_default(void) {
  struct settings settings = {
      .timeout = COPAL_NEVER,
      .ack_timeout = COPAL_NEVER,
      .retransmit = UINT32_MAX,
      .max_latency = COPAL_NEVER,
      .probing_rate = UINT32_MAX,
      .repeat = 1,
      .pace = COPAL_NEVER,
      .parallel = 1,
      .duration = COPAL_NEVER,
      .renew = COPAL_NEVER,
      .count = 4,
      .interval = COPAL_SECOND,
      /* A group's members spread their answers over DEFAULT_LEISURE, 5 s (RFC 7252 8.2): a shorter wait misses some. */
      .wait = 6 * COPAL_SECOND,
      .delay = 2 * COPAL_SECOND,
      .change_interval = 5 * COPAL_SECOND,
      .amplification = UINT32_MAX,
      .threads = 1,
      .bench = {.clients = 16, .window = 1, .size = UINT32_MAX, .method = UINT32_MAX, .duration = COPAL_NEVER},
  };
  return settings;
}

const struct option_entry options_verbose[] = {
    {"verbose", 'v', OPTION_LEVEL, NULL, FIELD(verbose), 0, DAILY, "show messages and decisions; -vv: bytes, too"},
    {"pcap", 0, OPTION_TEXT, "FILE", FIELD(pcap), 0, RARE, "write all messages to FILE, for Wireshark"},
    {0},
};

const struct option_entry options_common[] = {
    {"quiet", 'q', OPTION_FLAG, NULL, FIELD(quiet), 0, DAILY, "say nothing on standard error"},
    {"color", 0, OPTION_CHOICE, "auto|always|never", FIELD(color), 0, RARE, "colours (auto: on a terminal)"},
    {"no-config", 0, OPTION_FLAG, NULL, FIELD(no_config), 0, RARE, "no defaults from a file or COPAL_OPTIONS"},
    {"pretty", 0, OPTION_CHOICE, "auto|always|never", FIELD(pretty), 0, RARE, "readable bodies (auto: on a terminal)"},
    {"help", 'h', OPTION_FLAG, NULL, FIELD(help), 0, DAILY, "what is needed daily, and an example"},
    {0},
};

const struct option_entry options_json[] = {
    {"json", 0, OPTION_FLAG, NULL, FIELD(json), 0, DAILY, "print JSON, one object a line"},
    {0},
};

const struct option_entry options_transmission[] = {
    {"timeout", 't', OPTION_DURATION, "SECONDS", FIELD(timeout), 0, DAILY, "how long to wait in all"},
    {"ack-timeout", 0, OPTION_DURATION, "SECONDS", FIELD(ack_timeout), 0, RARE, "first retransmission after this; 2"},
    {"retransmit", 0, OPTION_NUMBER, "N", FIELD(retransmit), 10, RARE, "how often to send again; 4"},
    {"ack-random", 0, OPTION_TEXT, "FACTOR", FIELD(ack_random), 0, RARE, "up to so many times --ack-timeout; 1.5"},
    {"nstart", 0, OPTION_NUMBER, "N", FIELD(nstart), 255, RARE, "so many to one server at a time; --parallel"},
    {"max-latency", 0, OPTION_DURATION, "SECONDS", FIELD(max_latency), 0, RARE, "longest way one way; 100"},
    {"probing-rate", 0, OPTION_NUMBER, "N", FIELD(probing_rate), 1000000000, RARE,
     "bytes a second to who is silent; 1"},
    {0},
};

const struct option_entry options_conditions[] = {
    {"if-match", 0, OPTION_LIST, "ETAG", FIELD(if_matches), 0, RARE, "only if it is this version: text, or 0x..."},
    {"if-none-match", 0, OPTION_FLAG, NULL, FIELD(if_none_match), 0, RARE, "only if it does not exist yet"},
    {"etag", 0, OPTION_LIST, "ETAG", FIELD(etags), 0, RARE, "the version here: 2.03 if it still is so"},
    {0},
};

const struct option_entry options_several[] = {
    {"repeat", 0, OPTION_NUMBER, "N", FIELD(repeat), UINT32_MAX, RARE, "ask N times; 0 is until interrupted"},
    {"interval", 0, OPTION_DURATION, "SECONDS", FIELD(pace), 0, RARE, "between rounds; 0, and 1 with --repeat 0"},
    {"parallel", 0, OPTION_NUMBER, "N", FIELD(parallel), 1024, RARE, "up to N requests under way; 1"},
    {0},
};

const struct option_entry options_request[] = {
    {"accept", 'a', OPTION_TEXT, "FORMAT", FIELD(accept), 0, DAILY, "format wanted: json, cbor, text/plain, 50"},
    {"option", 'O', OPTION_LIST, "NAME[=VALUE]", FIELD(options), 0, DAILY, "add an option by name or number"},
    {"token", 0, OPTION_TEXT, "HEX", FIELD(token), 0, RARE, "the token to use; random"},
    {"no-token", 0, OPTION_FLAG, NULL, FIELD(no_token), 0, RARE, "use the token of zero bytes"},
    {"non", 'N', OPTION_FLAG, NULL, FIELD(non), 0, DAILY, "send non-confirmable"},
    {"block-size", 0, OPTION_NUMBER, "N", FIELD(block_size), 1024, RARE, "bytes in a block: 16, 32, ... 1024"},
    {"ahead", 0, OPTION_NUMBER, "N", FIELD(ahead), 7, RARE, "blocks asked for before others have come; 0"},
    {"q-block", 0, OPTION_FLAG, NULL, FIELD(q_block), 0, RARE, "blocks in bursts, where offered (RFC 9177)"},
    {"output", 'o', OPTION_TEXT, "FILE", FIELD(output), 0, DAILY, "write the body to FILE"},
    {0},
};

const struct option_entry options_response[] = {
    {"no-response", 0, OPTION_FLAG, NULL, FIELD(no_response), 0, RARE, "ask for no response, and await none"},
    {0},
};

const struct option_entry options_payload[] = {
    {"data", 'd', OPTION_TEXT, "TEXT", FIELD(data), 0, DAILY, "payload: this text"},
    {"file", 'f', OPTION_TEXT, "FILE", FIELD(file), 0, DAILY, "payload: what is in it; \"-\" is stdin"},
    {"hex", 0, OPTION_TEXT, "HEX", FIELD(hex), 0, RARE, "payload: these bytes"},
    {"json-data", 0, OPTION_TEXT, "JSON", FIELD(json_data), 0, DAILY, "payload: this JSON; CBOR by --format cbor"},
    {"format", 0, OPTION_TEXT, "FORMAT", FIELD(format), 0, DAILY, "its format; text (--data), else octets"},
    {0},
};

const struct option_entry options_observe[] = {
    {"count", 'c', OPTION_NUMBER, "N", FIELD(notifications), UINT32_MAX, DAILY, "end after N notifications"},
    {"duration", 0, OPTION_DURATION, "SECONDS", FIELD(duration), 0, DAILY, "end after this time"},
    {"exec", 0, OPTION_TEXT, "COMMAND", FIELD(exec), 0, DAILY, "run it with each value; the newest, if slow"},
    {"plot", 0, OPTION_FLAG, NULL, FIELD(plot), 0, DAILY, "draw numbers as a line"},
    {"renew", 0, OPTION_DURATION, "SECONDS", FIELD(renew), 0, RARE, "ask again after such a silence; Max-Age"},
    {"method", 0, OPTION_CHOICE, "get|fetch", FIELD(method), 0, RARE, "how to ask; get"},
    {0},
};

const struct option_entry options_ping[] = {
    {"count", 'c', OPTION_NUMBER, "N", FIELD(count), UINT32_MAX, DAILY, "how many; 4, and 0 is until interrupted"},
    {"interval", 'i', OPTION_DURATION, "SECONDS", FIELD(interval), 0, DAILY, "from one to the next; 1"},
    {0},
};

const struct option_entry options_discover[] = {
    {"wait", 'w', OPTION_DURATION, "SECONDS", FIELD(wait), 0, DAILY, "how long to gather a group's answers; 6"},
    {"rt", 0, OPTION_TEXT, "TYPE", FIELD(rt), 0, DAILY, "only resources of this type, \"temp*\""},
    {"if", 0, OPTION_TEXT, "TYPE", FIELD(interface_type), 0, RARE, "only this interface description"},
    {"href", 0, OPTION_TEXT, "PATH", FIELD(href), 0, RARE, "only this path, \"/sensors/*\""},
    {"interface", 'i', OPTION_TEXT, "NAME", FIELD(interface), 0, RARE, "network interface for groups"},
    {0},
};

const struct option_entry options_decode[] = {
    {"pcap", 'p', OPTION_TEXT, "FILE", FIELD(pcap), 0, DAILY, "decode what a capture holds, \"-\" is stdin"},
    {"raw", 0, OPTION_FLAG, NULL, FIELD(raw), 0, DAILY, "files or stdin have bytes, not hexadecimal"},
    {"brief", 'b', OPTION_FLAG, NULL, FIELD(brief), 0, DAILY, "one line a datagram"},
    {"port", 0, OPTION_LIST, "N|any", FIELD(ports), 0, RARE, "UDP port to look at in it; 5683"},
    {0},
};

const struct option_entry options_serve[] = {
    {"bind", 'b', OPTION_LIST, "URI", FIELD(binds), 0, DAILY, "address to serve on; coap://[::]:5683"},
    {"write", 'w', OPTION_FLAG, NULL, FIELD(write), 0, DAILY, "let clients write, create and delete in DIR"},
    {"plugtest", 0, OPTION_FLAG, NULL, FIELD(plugtest), 0, RARE, "serve the resources of ETSI's CoAP plugtests"},
    {"amplification", 0, OPTION_NUMBER, "N", FIELD(amplification), 1000, RARE,
     "strangers get at most N times a request; 3"},
    {"threads", 0, OPTION_NUMBER, "N", FIELD(threads), 64, RARE, "threads, with endpoints of their own; 1"},
    {"reuse-port", 0, OPTION_FLAG, NULL, FIELD(reuse_port), 0, RARE, "let a server that takes over bind it, too"},
    {"delay", 0, OPTION_DURATION, "SECONDS", FIELD(delay), 0, RARE, "how long /async or /separate takes; 2"},
    {"interval", 0, OPTION_DURATION, "SECONDS", FIELD(change_interval), 0, DAILY, "how often /obs changes; 5"},
    {"ack-timeout", 0, OPTION_DURATION, "SECONDS", FIELD(ack_timeout), 0, RARE, "first retransmission after this; 2"},
    {"retransmit", 0, OPTION_NUMBER, "N", FIELD(retransmit), 10, RARE, "how often to send again; 4"},
    {"interface", 'i', OPTION_TEXT, "NAME", FIELD(interface), 0, RARE, "network interface for groups"},
    {0},
};

const struct option_entry options_bench[] = {
    {"clients", 'c', OPTION_NUMBER, "N", FIELD(bench.clients), 16000000, DAILY, "peers that ask; 16"},
    {"window", 'w', OPTION_NUMBER, "N", FIELD(bench.window), 32768, DAILY, "requests at once of each client; 1"},
    {"rate", 'r', OPTION_NUMBER, "N", FIELD(bench.rate), UINT32_MAX, DAILY, "requests a second, whatever comes back"},
    {"duration", 'D', OPTION_DURATION, "SECONDS", FIELD(bench.duration), 0, DAILY, "how long; 10"},
    {"requests", 'n', OPTION_NUMBER, "N", FIELD(bench.requests), UINT32_MAX, RARE, "end after so many requests"},
    {"warmup", 0, OPTION_DURATION, "SECONDS", FIELD(bench.warmup), 0, RARE, "do not count at first; 0"},
    {"in-flight", 0, OPTION_NUMBER, "N", FIELD(bench.in_flight), UINT32_MAX, RARE, "requests at once of all clients"},
    {"sources", 0, OPTION_NUMBER, "N", FIELD(bench.sources), 16000000, RARE,
     "addresses in 127/8 to ask from; one a client"},
    {"method", 'm', OPTION_CHOICE, "get|post|put|delete|fetch|patch|ipatch", FIELD(bench.method), 0, DAILY,
     "get; post with a payload"},
    {"size", 's', OPTION_NUMBER, "N", FIELD(bench.size), 67108864, RARE, "payload: so many bytes"},
    {"accept", 'a', OPTION_TEXT, "FORMAT", FIELD(accept), 0, RARE, "format wanted: json, cbor, text/plain, 50"},
    {"option", 'O', OPTION_LIST, "NAME[=VALUE]", FIELD(options), 0, RARE, "add an option by name or number"},
    {"non", 'N', OPTION_FLAG, NULL, FIELD(non), 0, DAILY, "send non-confirmable"},
    {"block-size", 0, OPTION_NUMBER, "N", FIELD(block_size), 1024, RARE, "bytes in a block: 16, 32, ... 1024"},
    {"observers", 0, OPTION_NUMBER, "N", FIELD(bench.observers), 16000000, DAILY,
     "observe; requests only with --rate or -n"},
    {"json", 0, OPTION_FLAG, NULL, FIELD(json), 0, DAILY, "print the figures as one JSON object"},
    {0},
};

const struct option_title option_titles[] = {
    {options_observe, "Observation"},
    {options_ping, "Pings"},
    {options_discover, "Discovery"},
    {options_decode, "What is decoded"},
    {options_serve, "Serving"},
    {options_bench, "Load"},
    {options_payload, "Payload"},
    {options_request, "Request"},
    {options_conditions, "Conditions"},
    {options_response, "Response"},
    {options_several, "Several requests"},
    {options_json, "For programs"},
    {options_transmission, "Transmission"},
    {options_verbose, "Seeing"},
    {options_common, "General"},
    {0},
};
