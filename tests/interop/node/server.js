// A server on node-coap for our client to talk to, on the port that is given or a free one: prints "listening on
// udp:PORT", then a line for each request, and ends with its process. Which options it understands is its own business; their bytes and the messages are node-coap's.
'use strict'
const coap = require('coap')
const dgram = require('dgram')

const SEPARATE_AFTER_MS = 300 // well above the 50 ms after which node-coap acknowledges on its own
const TICK_MS = 100

const UNDERSTOOD = ['Uri-Host', 'Uri-Port', 'Uri-Path', 'Uri-Query', 'Content-Format', 'Accept']
const store = new Map()
let counter = 0

const socket = dgram.createSocket('udp4')
socket.bind(Number(process.argv[2] || 0), '127.0.0.1', () => {
  coap.createServer(serve).listen(socket, () => console.log(`listening on udp:${socket.address().port}`))
})

function serve (request, response) {
  console.log(`${request.method} ${request.url}`)
  const path = request.url.split('?')[0]
  if (request.options.some(isUnknownCritical)) return answer(response, '4.02', 'an option is not understood')
  if (path === '/hello' && request.method === 'GET') return answer(response, '2.05', 'hello from node')
  if (path === '/echo' && request.method === 'GET') return answer(response, '2.05', request.url)
  if (path === '/async' && request.method === 'GET') {
    return setTimeout(answer, SEPARATE_AFTER_MS, response, '2.05', 'node took its time')
  }
  if (path === '/large' && request.method === 'GET') return answer(response, '2.05', 'large '.repeat(500))
  if (path === '/large' && request.method === 'POST') return answer(response, '2.04', 'large '.repeat(500))
  if (path === '/ticks') return serveTicks(request, response)
  if (path === '/.well-known/core' && request.method === 'GET') {
    response.setOption('Content-Format', 'application/link-format')
    return answer(response, '2.05', '</hello>;rt="greeting",</async>,</counter>;title="POST adds one"')
  }
  if (path === '/counter' && request.method === 'POST') return answer(response, '2.04', String(++counter))
  if (path.startsWith('/store/')) return serveStored(path, request, response)
  answer(response, '4.04', 'no such resource')
}

function serveStored (path, request, response) {
  const stored = store.get(path)
  switch (request.method) {
    case 'GET':
      if (!stored) return answer(response, '4.04', 'nothing is stored there')
      if (stored.format) response.setOption('Content-Format', stored.format)
      return answer(response, '2.05', stored.payload)
    case 'PUT':
      store.set(path, { payload: request.payload, format: request.headers['Content-Format'] })
      return answer(response, stored ? '2.04' : '2.01')
    case 'DELETE':
      store.delete(path)
      return answer(response, '2.02')
    default:
      return answer(response, '4.05')
  }
}

// Counts as long as somebody observes; a FETCH's payload is told with each count.
function serveTicks (request, response) {
  if (request.headers.Observe !== 0) return answer(response, '2.05', '0')
  const prefix = request.payload.length > 0 ? `${request.payload} ` : ''
  let ticks = 0
  const tick = () => response.write(`${prefix}${++ticks}`)
  const timer = setInterval(tick, TICK_MS)
  response.on('finish', () => clearInterval(timer))
  tick()
}

// node-coap names the options that it knows and numbers the others; odd numbers are critical (RFC 7252 5.4.6).
function isUnknownCritical (option) {
  return !UNDERSTOOD.includes(option.name) && Number(option.name) % 2 === 1
}

function answer (response, code, payload) {
  response.code = code
  response.end(payload)
}
