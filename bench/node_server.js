// node-coap with the resource that bench/client.c asks for. Its Content-Format is written as no bytes, as in RFC 7252
// 3.2, so that all servers give the same ones.
const coap = require('coap')

const server = coap.createServer({ type: 'udp6' }, (request, response) => {
  response.setOption('Content-Format', Buffer.alloc(0))
  response.end('22.3')
})
server.listen(0, () => console.log(JSON.stringify({ port: server._sock.address().port })))
