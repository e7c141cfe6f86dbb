/* The table of subcommands, and how one is found by its name. */
#include <string.h>
#include <strings.h>

#include "cli/line/command.h"
#include "cli/line/suggest.h"
#include "cli/show/terminal.h"
#include "copal/message.h"

#define ASKING                                                                                                \
  options_request, options_conditions, options_response, options_several, options_json, options_transmission, \
      options_verbose, options_common
#define WITHOUT_PAYLOAD \
  { ASKING }
#define WITH_PAYLOAD \
  { options_payload, ASKING }

const struct command commands[] = {
    {"get", "URI...", "Read a resource",
     "  copal get coap://[::1]/uptime\n"
     "  copal get -v --accept json coap://sensor.local/temperature\n",
     WITHOUT_PAYLOAD, method_run, COPAL_GET},
    {"put", "URI...", "Create or replace a resource",
     "  copal put --data 'on' coap://lamp.local/state\n"
     "  copal put --file body.cbor --format cbor -O If-None-Match coap://[::1]/store/a\n",
     WITH_PAYLOAD, method_run, COPAL_PUT},
    {"post", "URI...", "Have a resource process a payload, or create one below it",
     "  copal post --data 'hello' coap://[::1]/store\n", WITH_PAYLOAD, method_run, COPAL_POST},
    {"delete", "URI...", "Delete a resource", "  copal delete coap://[::1]/store/1\n", WITHOUT_PAYLOAD, method_run,
     COPAL_DELETE},
    {"fetch", "URI...", "Read part of a resource, which the payload describes (RFC 8132)",
     "  copal fetch --hex 8101 --format cbor coap://[::1]/records\n", WITH_PAYLOAD, method_run, COPAL_FETCH},
    {"patch", "URI...", "Change part of a resource (RFC 8132)",
     "  copal patch --file change.json --format 52 coap://[::1]/object\n", WITH_PAYLOAD, method_run, COPAL_PATCH},
    {"ipatch", "URI...", "Change part of a resource, idempotently (RFC 8132)",
     "  copal ipatch --file change.json --format 52 coap://[::1]/object\n", WITH_PAYLOAD, method_run, COPAL_IPATCH},
    {"observe",
     "URI...",
     "Print a resource's state whenever it changes (RFC 7641)",
     "  copal observe --duration 60 --exec 'echo \"$COPAL_VALUE\"' coap://[::1]/counter\n",
     {options_observe, options_payload, options_request, options_conditions, options_json, options_transmission,
      options_verbose, options_common},
     observe_run,
     0},
    {"ping",
     "URI",
     "Tell whether a server is alive, and how far away",
     "  copal ping --count 3 coap://192.0.2.1\n",
     {options_ping, options_json, options_transmission, options_verbose, options_common},
     ping_run,
     0},
    {"discover",
     "[URI|all]",
     "List the resources of a server, or of all servers near by",
     "  copal discover\n"
     "  copal discover --rt 'temp*' coap://192.0.2.1\n"
     "  copal discover --interface eth0 ff02::fd\n",
     {options_discover, options_json, options_transmission, options_verbose, options_common},
     discover_run,
     0},
    {"decode",
     "[HEX...|FILE]",
     "Explain datagrams byte by byte: hexadecimal, files, captures",
     "  copal decode 40 01 7d 34 bb 74656d7065726174757265\n"
     "  copal decode --brief capture.pcapng\n"
     "  tcpdump -w - udp port 5683 | copal decode --pcap -\n",
     {options_decode, options_json, options_common},
     decode_run,
     0},
    {"serve",
     "[DIR]",
     "Serve the files of a folder, or a demonstration",
     "  copal serve --write --bind coap://127.0.0.1:5700 /srv/coap\n"
     "  copal serve --verbose\n",
     {options_serve, options_verbose, options_common},
     serve_run,
     0},
    {"bench",
     "URI",
     "Put a server under load, and measure it",
     "  copal bench --clients 100 --duration 5 coap://127.0.0.1/hello\n"
     "  copal bench --rate 20000 --method post --data 'on' coap://127.0.0.1/counter\n",
     {options_bench, options_payload, options_transmission, options_common},
     bench_run,
     0},
    {"completion",
     "bash|zsh|fish",
     "Print a script that completes what is typed in a shell",
     "  . <(copal completion bash)\n"
     "  copal completion fish >~/.config/fish/completions/copal.fish\n",
     {options_common},
     completion_run,
     0},
    {"help", "[COMMAND]", "Tell all options of a command", "  copal help get\n", {options_common}, help_run, 0},
    {0},
};

const struct command *command_find(const char *name) {
  for (const struct command *command = commands; command->name != NULL; ++command) {
    if (strcasecmp(command->name, name) == 0) return command;
  }
  return NULL;
}

const char *command_near(const char *typed) {
  struct suggestion suggestion = suggestion_for(typed);
  for (const struct command *command = commands; command->name != NULL; ++command) {
    suggestion_offer(&suggestion, command->name);
  }
  return suggestion.name;
}

enum status command_unknown(const char *name) {
  const char *near = command_near(name);
  if (near != NULL) {
    complain("", "unknown command '%s': did you mean '%s'?", name, near);
  } else if (name[0] == '-') {
    complain("", "'%s' stands where a command belongs: \"copal --help\" lists them", name);
  } else if (strpbrk(name, ".:/") != NULL) {
    complain("", "'%s' is no command: did you mean \"copal get %s\"?", name, name);
  } else {
    complain("", "unknown command '%s': \"copal --help\" lists them", name);
  }
  return STATUS_USAGE;
}
