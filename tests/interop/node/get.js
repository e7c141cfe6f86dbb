// GET of the URI that is the argument, with node-coap as it comes: prints the body, and on standard error the code.
'use strict'
const coap = require('coap')
coap.request(process.argv[2]).on('response', (response) => {
  process.stderr.write(`(${response.code})\n`)
  process.stdout.write(response.payload, () => process.exit())
}).end()
