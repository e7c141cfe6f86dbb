/* Sends a file of any size to a server, in blocks and without holding it in memory: upload FILE URI. */
#include <copal/net.h>
#include <stdio.h>

static uint64_t read_file(void *context, uint64_t offset, void *buffer, size_t size) {
  FILE *file = context;
  if (fseek(file, (long)offset, SEEK_SET) != 0) return COPAL_SIZE_UNKNOWN;
  size_t count = fread(buffer, 1, size, file);
  return ferror(file) ? COPAL_SIZE_UNKNOWN : count;
}

int main(int argc, char **argv) {
  static copal_response response;
  if (argc != 3) return fprintf(stderr, "usage: upload FILE URI\n"), 2;
  FILE *file = fopen(argv[1], "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) return perror(argv[1]), 1;
  uint64_t size = (uint64_t)ftell(file);
  copal_error error = copal_upload(COPAL_PUT, argv[2], COPAL_OCTET_STREAM, read_file, size, file, &response);
  fclose(file);
  if (error != COPAL_OK) return fprintf(stderr, "%s\n", copal_error_text(error)), 1;
  printf("%u.%02u after %u exchanges\n", COPAL_CODE_CLASS(response.code), COPAL_CODE_DETAIL(response.code),
         response.exchanges);
  return COPAL_CODE_CLASS(response.code) == 2 ? 0 : 1;
}
