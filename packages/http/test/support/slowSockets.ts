/**
 * Test kit: a worker thread with clients that send their headers byte by byte. It is separate from the thread that measures
 * response times. It posts the number of its connections, and ends when all are closed.
 */
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { parentPort, workerData } from "node:worker_threads"

const { port, sockets } = workerData as { readonly port: number; readonly sockets: number }

const open = async (): Promise<Socket> => {
  const socket = connect(port, "127.0.0.1").on("error", () => {})
  await once(socket, "connect")
  socket.write("GET /v1/todos HTTP/1.1\r\nX-")
  return socket.resume()
}

const slow: Array<Socket> = []
while (slow.length < sockets) {
  slow.push(...(await Promise.all(Array.from({ length: 50 }, open))))
  await sleep(20)
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(slow.length)
const dripping = setInterval(() => slow.forEach((socket) => socket.writable && socket.write("a")), 1_000)
await Promise.all(slow.map((socket) => socket.closed || once(socket, "close")))
clearInterval(dripping)
