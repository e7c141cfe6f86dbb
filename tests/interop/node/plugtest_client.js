// The plugtests (ETSI CoAP#4) with node-coap as client of our server, "copal serve --plugtest --interval 0 --delay 0.3"
// on the port that is the argument. Prints a "result:" line for each (see ../plugtest.sh); ends with 1 if one failed.
// What passes is looked at on the client's socket.
'use strict'
const coap = require('coap')
const dgram = require('dgram')
const assert = require('assert')
const { parse } = require('coap-packet')

const port = Number(process.argv[2])
const QUIET_MS = 250
const LARGE = 5120
const GET = '-> CON 0.01, <- ACK 2.05'

const wire = []
const socket = dgram.createSocket('udp4')
let agent
let failures = 0
let observing = [] // by the test that runs

// --- What passes

function note (way, datagram) {
  const packet = parse(datagram)
  const type = packet.confirmable ? 'CON' : packet.ack ? 'ACK' : packet.reset ? 'RST' : 'NON'
  wire.push(Object.assign(packet, { words: `${way} ${type} ${packet.code}` }))
}

function watch () {
  const send = socket.send.bind(socket)
  socket.send = (buffer, ...rest) => {
    note('->', buffer)
    return send(buffer, ...rest)
  }
  socket.on('message', (datagram) => note('<-', datagram))
}

// Exactly this has passed, and an answer in an ACK has its request's message ID and token.
function passed (expected) {
  const seen = wire.map((packet) => packet.words).join(', ')
  if (expected instanceof RegExp) assert.match(seen, expected)
  else assert.strictEqual(seen, expected)
  for (const answer of wire.filter(({ words, code }) => words.startsWith('<- ACK') && code !== '0.00')) {
    const request = wire.find(({ words, messageId }) => words.startsWith('->') && messageId === answer.messageId)
    assert(request.token.equals(answer.token))
  }
}

// --- Requests

function request (method, path, { payload, ...more } = {}) {
  return new Promise((resolve, reject) => {
    const [pathname, query] = path.split('?')
    const outgoing = agent.request({ host: '127.0.0.1', port, method, pathname, query, ...more })
    outgoing.on('response', resolve)
    outgoing.on('error', reject)
    outgoing.on('timeout', reject)
    outgoing.end(payload)
  })
}

const put = (path, payload, more = {}) =>
  request('PUT', path, { payload, contentFormat: 'text/plain', ...more })
const post = (path, payload, more = {}) =>
  request('POST', path, { payload, contentFormat: 'text/plain', ...more })
const act = async (line) => assert.strictEqual((await post('/actions', line)).code, '2.04')

function pause (ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

// The targets that discovery lists.
async function discover (query) {
  const response = await request('GET', `/.well-known/core${query}`)
  assert.strictEqual(response.code, '2.05')
  assert.strictEqual(response.headers['Content-Format'], 'application/link-format')
  return { text: `${response.payload}`, targets: `${response.payload}`.match(/<[^>]+>/g).join(' ') }
}

const filtered = async (query, targets) => assert.strictEqual((await discover(query)).targets, targets)

// Answers of these types and codes, and with a payload or none.
async function ask (method, path, expected, more) {
  const response = await request(method, path, more)
  passed(expected)
  return response
}

// Of a repeated option node-coap's headers have the last.
const values = (response, name) =>
  response.options.filter((option) => option.name === name).map(({ value }) => `${value}`)

async function read (path) {
  const response = await request('GET', path)
  return `${response.payload}`
}

// --- Observation

async function observe (path, more = {}) {
  const response = await request('GET', path, { observe: true, ...more })
  const states = []
  observing.push(response)
  response.on('data', (state) => states.push({ code: response.code, text: `${state}` }))
  await pause(20)
  return { response, states }
}

const notifications = () => wire.filter(({ words, token }) => token.equals(wire[0].token) && words.startsWith('<-'))
const sequence = (packet) => packet.options.find(({ name }) => name === 'Observe')?.value.readUIntBE(0, 3)

// --- The tests

const tests = {
  CORE_01: async () => {
    const response = await ask('GET', '/test', GET)
    assert(response.payload.length > 0)
    assert.match(response.headers['Content-Format'], /^text\/plain/)
  },
  CORE_02: () => ask('DELETE', '/test', '-> CON 0.04, <- ACK 2.02'),
  CORE_03: () => ask('PUT', '/test', /^-> CON 0.03, <- ACK 2.0[14]$/, { payload: 'x', contentFormat: 'text/plain' }),
  CORE_04: () => ask('POST', '/test', /^-> CON 0.02, <- ACK 2.0[14]$/, { payload: 'x', contentFormat: 'text/plain' }),
  CORE_05: () => ask('GET', '/test', '-> NON 0.01, <- NON 2.05', { confirmable: false }),
  CORE_06: () => ask('DELETE', '/test', '-> NON 0.04, <- NON 2.02', { confirmable: false }),
  CORE_07: () => ask('PUT', '/test', /^-> NON 0.03, <- NON 2.0[14]$/, { payload: 'x', confirmable: false }),
  CORE_08: () => ask('POST', '/test', /^-> NON 0.02, <- NON 2.0[14]$/, { payload: 'x', confirmable: false }),
  CORE_09: () => ask('GET', '/separate', '-> CON 0.01, <- ACK 0.00, <- CON 2.05, -> ACK 0.00'),
  CORE_10: async () => {
    for (let size = 1; size <= 8; ++size) {
      wire.length = 0
      await ask('GET', '/test', GET, { token: Buffer.alloc(size, size) })
      assert.strictEqual(wire[1].token.length, size)
    }
  },
  CORE_11: async () => {
    await ask('GET', '/separate', '-> CON 0.01, <- ACK 0.00, <- CON 2.05, -> ACK 0.00', { token: Buffer.from('abcde') })
    assert.strictEqual(`${wire[2].token}`, 'abcde')
  },
  CORE_13: async () => {
    await ask('GET', '/seg1/seg2/seg3', GET)
    assert.strictEqual(wire[0].options.filter(({ name }) => name === 'Uri-Path').length, 3)
  },
  CORE_14: async () => {
    const response = await ask('GET', '/query?first=1&second=2&third=3', GET)
    assert.strictEqual(`${response.payload}`, 'first=1\nsecond=2\nthird=3\n')
  },
  CORE_17: () => ask('GET', '/separate', '-> NON 0.01, <- NON 2.05', { confirmable: false }),
  CORE_18: async () => {
    const response = await post('/test', 'x')
    assert.strictEqual(response.code, '2.01')
    assert.deepStrictEqual(values(response, 'Location-Path'), ['location1', 'location2', 'location3'])
  },
  CORE_19: async () => {
    const response = await post('/location-query', 'x')
    assert.strictEqual(response.code, '2.01')
    assert.deepStrictEqual(values(response, 'Location-Query'), ['first=1', 'second=2'])
  },
  CORE_20: async () => {
    for (const format of ['text/plain', 'application/xml', 'application/json', 'application/cbor']) {
      const response = await request('GET', '/multi-format', { accept: format })
      assert.strictEqual(response.code, '2.05')
      assert.strictEqual(response.headers['Content-Format'].split(';')[0], format)
    }
  },
  CORE_23: async () => {
    const absent = { options: { 'If-None-Match': Buffer.alloc(0) } }
    assert.strictEqual((await put('/create1', 'one', absent)).code, '2.01')
    assert.strictEqual((await put('/create1', 'two', absent)).code, '4.12')
    assert.strictEqual(await read('/create1'), 'one')
  },

  LINK_01: async () => {
    const { targets } = await discover('')
    for (const path of ['/test', '/separate', '/large', '/obs', '/link3']) assert(targets.includes(`<${path}>`))
  },
  LINK_02: () => filtered('?rt=Type1', '</link1> </link3>'),
  LINK_03: async () => {
    const all = (await discover('')).text.split(/,(?=<)/).filter((link) => link.includes(';rt='))
    await filtered('?rt=*', all.map((link) => link.match(/<[^>]+>/)[0]).join(' '))
  },
  LINK_04: () => filtered('?rt=Type2', '</link1> </link2>'),
  LINK_05: () => filtered('?if=If*', '</link1> </link2>'),
  LINK_06: () => filtered('?sz=*', '</large> </large-update>'),
  LINK_07: () => filtered('?href=/link1', '</link1>'),
  LINK_08: () => filtered('?href=/link*', '</link1> </link2> </link3>'),
  LINK_09: async () => {
    assert.match((await discover('?href=/path')).text, /;ct=40/)
    assert.match(await read('/path'), /<\/path\/sub1>/)
    assert.match(await read('/path/sub1'), /sub1/)
  },

  BLOCK_01: () => download(2, 64),
  BLOCK_02: async () => {
    const response = await request('GET', '/large')
    passed(/^(-> CON 0.01, <- ACK 2.05(, )?){5}$/)
    assert.strictEqual(response.payload.length, LARGE)
  },
  BLOCK_03: async () => {
    const body = 'upload '.repeat(300)
    const response = await put('/large-update', body, { options: { Block1: Buffer.from([2]) } })
    passed(/^(-> CON 0.03, <- ACK 2.31, ){32}-> CON 0.03, <- ACK 2.04$/)
    assert.strictEqual(response.code, '2.04')
    assert.strictEqual(await read('/large-update'), body)
  },
  BLOCK_04: async () => {
    const body = 'create '.repeat(300)
    const response = await post('/large-create', body, { options: { Block1: Buffer.from([2]) } })
    passed(/^(-> CON 0.02, <- ACK 2.31, ){32}-> CON 0.02, <- ACK 2.01$/)
    const location = values(response, 'Location-Path')
    assert.strictEqual(location[0], 'large-create')
    assert.strictEqual(await read(`/${location.join('/')}`), body)
  },
  BLOCK_05: async () => {
    const response = await post('/large-post', 'post '.repeat(300), { options: { Block1: Buffer.from([2]) } })
    passed(/^(-> CON 0.02, <- ACK 2.31, ){23}(-> CON 0.02, <- ACK 2.04(, )?)+$/)
    assert.match(`${response.payload}`, /1500 bytes were posted/)
  },
  BLOCK_06: () => download(0, 16),

  OBS_01: async () => {
    const { states } = await observe('/obs')
    await act('obs set one')
    await act('obs set two')
    await pause(QUIET_MS)
    assert.deepStrictEqual(states.slice(1).map(({ text }) => text), ['one', 'two'])
    const told = notifications()
    assert.strictEqual(told.map(({ words }) => words).join(', '), '<- ACK 2.05, <- CON 2.05, <- CON 2.05')
    const numbers = told.map(sequence)
    assert(numbers[0] < numbers[1] && numbers[1] < numbers[2])
    const confirmed = told.slice(1).map(({ messageId }) => messageId)
    for (const id of confirmed) assert(wire.some((packet) => packet.words === '-> ACK 0.00' && packet.messageId === id))
  },
  OBS_06: async () => {
    const { response } = await observe('/obs')
    response.close(false) // and node-coap knows nothing of it any more
    await act('obs change')
    await pause(QUIET_MS)
    await act('obs change')
    await pause(QUIET_MS)
    assert.strictEqual(wire.filter(({ words }) => words === '<- CON 2.05').length, 1)
    assert.strictEqual(wire.filter(({ words }) => words === '-> RST 0.00').length, 1)
  },
  OBS_07: () => ends('obs delete', '4.04'),
  OBS_08: () => ends('obs format json', '4.06'),
  OBS_09: async () => {
    const { states } = await observe('/obs')
    await put('/obs', 'new payload')
    await pause(QUIET_MS)
    assert.deepStrictEqual(states.slice(1).map(({ text }) => text), ['new payload'])
  },
  OBS_10: async () => {
    const { states } = await observe('/obs')
    const plain = await request('GET', '/obs')
    assert.strictEqual(plain.headers.Observe, undefined)
    await act('obs set still')
    await pause(QUIET_MS)
    assert.strictEqual(states[1].text, 'still')
  },
  OBS_12: async () => {
    const { response } = await observe('/obs')
    response.close(true)
    await pause(QUIET_MS)
    assert.strictEqual(wire.map(({ words }) => words).join(', '), `${GET}, ${GET}`)
    assert.strictEqual(sequence(wire[3]), undefined)
    assert(wire[2].token.equals(wire[0].token))
    await act('obs change')
    await pause(QUIET_MS)
    assert.strictEqual(wire.filter(({ words }) => words === '<- CON 2.05').length, 0)
  },
  // The last: for 3 s no other notification follows one without confirmation (RFC 7641 4.5.1).
  OBS_02: async () => {
    const { states } = await observe('/obs-non', { confirmable: false })
    await act('obs-non set one')
    await pause(QUIET_MS)
    assert.strictEqual(states[1].text, 'one')
    assert.strictEqual(notifications().map(({ words }) => words).join(', '), '<- NON 2.05, <- NON 2.05')
  }
}

async function download (exponent, size) {
  const response = await request('GET', '/large', { options: { Block2: Buffer.from([exponent]) } })
  passed(new RegExp(`^(-> CON 0.01, <- ACK 2.05(, )?){${LARGE / size}}$`))
  assert.strictEqual(response.payload.length, LARGE)
}

// The observation ends with a confirmable message of that code, without an Observe option, and then there is silence.
async function ends (action, code) {
  await observe('/obs')
  await act(action)
  await pause(QUIET_MS)
  await act('obs reset')
  await pause(QUIET_MS)
  const told = notifications()
  assert.strictEqual(told.map(({ words }) => words).join(', '), `<- ACK 2.05, <- CON ${code}`)
  assert.strictEqual(sequence(told[1]), undefined)
  assert(wire.some(({ words, messageId }) => words === '-> ACK 0.00' && messageId === told[1].messageId))
}

const impossible = {
  CORE_12: 'node-coap always has a token',
  CORE_15: 'node-coap cannot lose what it receives',
  CORE_16: 'node-coap cannot lose what it receives',
  CORE_21: 'node-coap reads ETags as text, and ours are none',
  CORE_22: 'node-coap reads ETags as text, and ours are none',
  CORE_31: 'node-coap has no ping',
  OBS_04: 'node-coap does not ask again',
  OBS_05: 'node-coap cannot be switched off: its port would be unreachable',
  OBS_11: 'node-coap cannot lose what it receives',
  OBS_13: 'node-coap asks for later blocks as if it registered again',
  OBS_14: 'node-coap asks for later blocks as if it registered again'
}

async function main () {
  watch()
  agent = new coap.Agent({ socket })
  for (const [id, run] of Object.entries(tests)) {
    wire.length = 0
    let error
    await run().catch((cause) => { error = cause })
    observing.forEach((response) => response.close(true))
    if (observing.length > 0) await pause(20)
    observing = []
    if (error) {
      ++failures
      console.log(`# ${id}: ${error.stack}`)
    }
    console.log(`result: TD_COAP_${id} |  | node | server | ${error ? 'failed' : 'passed'} | `)
  }
  for (const [id, reason] of Object.entries(impossible)) {
    console.log(`result: TD_COAP_${id} |  | node | server | not run | no: ${reason}`)
  }
  process.exit(failures ? 1 : 0)
}

socket.bind(0, '127.0.0.1', main)
