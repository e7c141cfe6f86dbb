// The plugtests' resources on node-coap, for our client: prints "listening on udp:PORT", and ends with its process.
// Messages, blocks and notifications are node-coap's; what a resource is, and whether it has changed, is said here.
'use strict'
const coap = require('coap')
const dgram = require('dgram')

const SEPARATE_AFTER_MS = 200 // well above the 50 ms after which node-coap acknowledges on its own
const LARGE = 'node-coap says what is large. '.repeat(100)
const LINKS = '</test>;ct=0,</separate>,</large>;sz=3000,</path>;ct=40,</obs>;obs'

const resources = new Map()
const observers = new Map() // path -> responses
let version = 0
let created = 0

for (const path of ['/test', '/seg1/seg2/seg3', '/validate', '/obs', '/obs-non', '/path/sub1']) {
  change(path, 'at first', 'text/plain')
}
for (const path of ['/large', '/large-update']) change(path, LARGE, 'text/plain')

const socket = dgram.createSocket('udp4')
socket.bind(0, '127.0.0.1', () => {
  coap.createServer(serve).listen(socket, () => console.log(`listening on udp:${socket.address().port}`))
})

function serve (request, response) {
  const [path, query] = request.url.split('?')
  const special = SPECIAL[`${request.method} ${path}`]
  if (special) return special(response, request, query)
  switch (request.method) {
    case 'GET': return get(path, request, response)
    case 'PUT': return put(path, request, response)
    case 'DELETE':
      resources.delete(path)
      return answer(response, '2.02')
    default: return answer(response, '4.05')
  }
}

const SPECIAL = {
  'GET /separate': (response) => setTimeout(answer, SEPARATE_AFTER_MS, response, '2.05', 'node took its time'),
  'GET /query': (response, request, query) => answer(response, '2.05', query),
  'GET /multi-format': (response, request) => {
    const format = request.headers.Accept
    answer(response, '2.05', format === 'application/xml' ? '<format/>' : 'format', format)
  },
  'GET /.well-known/core': (response) => answer(response, '2.05', LINKS, 'application/link-format'),
  'GET /path': (response) => answer(response, '2.05', '</path/sub1>', 'application/link-format'),
  'POST /test': (response) => {
    response.setOption('Location-Path', ['location1', 'location2', 'location3'].map((part) => Buffer.from(part)))
    answer(response, '2.01')
  },
  'POST /location-query': (response) => {
    response.setOption('Location-Query', [Buffer.from('first=1'), Buffer.from('second=2')])
    answer(response, '2.01')
  },
  'POST /large-create': (response, request) => {
    const name = `${++created}`
    change(`/large-create/${name}`, request.payload, request.headers['Content-Format'])
    response.setOption('Location-Path', [Buffer.from('large-create'), Buffer.from(name)])
    answer(response, '2.01')
  },
  'POST /large-post': (response) => answer(response, '2.04', LARGE, 'text/plain')
}

function get (path, request, response) {
  const resource = resources.get(path)
  if (!resource) return answer(response, '4.04', 'no such resource')
  response.setOption('ETag', resource.etag)
  const etags = request.options.filter((option) => option.name === 'ETag')
  if (etags.some((option) => option.value === `${resource.etag}`)) return answer(response, '2.03')
  if (request.headers.Observe !== 0) return answer(response, '2.05', resource.payload, resource.format)
  response.setOption('Content-Format', resource.format)
  const all = observers.get(path) || new Set()
  observers.set(path, all.add(response))
  response.on('finish', () => all.delete(response))
  response.write(resource.payload)
}

function put (path, request, response) {
  const resource = resources.get(path)
  const wanted = request.options.find((option) => option.name === 'If-Match')
  if (wanted && !(resource && `${wanted.value}` === `${resource.etag}`)) return answer(response, '4.12')
  if (resource && request.options.some((option) => option.name === 'If-None-Match')) return answer(response, '4.12')
  change(path, request.payload, request.headers['Content-Format'])
  answer(response, resource ? '2.04' : '2.01')
}

function change (path, payload, format) {
  const etag = Buffer.from(`v${++version}`)
  resources.set(path, { payload, format, etag })
  for (const response of observers.get(path) || []) {
    response.setOption('ETag', etag)
    response.write(payload)
  }
}

function answer (response, code, payload, format = 'text/plain') {
  if (payload) response.setOption('Content-Format', format)
  response.code = code
  response.end(payload)
}
