// Loaded before coap-cli: its node-coap 0.23.1 falls over a Content-Format that it has no name for, as errors have one
// (RFC 9290), and lets its application name more.
'use strict'
const path = require.resolve('coap', { paths: [require.resolve('coap-cli')] })
require(path).registerFormat('application/concise-problem-details+cbor', 257)
