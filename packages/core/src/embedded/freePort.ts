import { connect, createServer } from "node:net"

/** A port of 127.0.0.1 on which no process listened a moment ago. Another process may still take it. */
export const freePort = (): Promise<number> =>
  new Promise((done, reject) => {
    const server = createServer().once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

/** Whether a process on 127.0.0.1 accepts connections at the port. */
export const answers = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect({ port, host: "127.0.0.1" })
    socket.once("connect", () => (socket.destroy(), done(true))).once("error", () => done(false))
  })
