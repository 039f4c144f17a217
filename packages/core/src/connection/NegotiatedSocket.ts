/**
 * Sockets for `sslmode=prefer` (TLS first, then without) and `sslmode=allow` (without TLS first, then with). The driver only
 * supports TLS on or off. Its own `prefer` demands a verifiable certificate, which libpq does not.
 */
import { Buffer } from "node:buffer"
import { connect as connectPlain, type Socket, type TcpNetConnectOpts } from "node:net"
import { Duplex } from "node:stream"
import { connect as connectEncrypted, type ConnectionOptions } from "node:tls"

/** A server, and whether TLS is tried first (`prefer`). */
export interface Target {
  readonly mode: "allow" | "prefer"
  readonly to: TcpNetConnectOpts
  readonly tls: ConnectionOptions
}

/** Message formats of PostgreSQL's protocol: a length of 8 and the code 80877103. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const cancelRequestCode = 80_877_102

/** Whether the server refuses a connection because of its encryption: SQLSTATE 28..., or 08P01 from PgBouncer. */
const isEncryptionRefusal = (reply: Buffer): boolean =>
  reply[0] === 0x45 && (reply.includes("\0C28") || reply.includes("\0C08P01"))

/** Returns a factory that makes one socket for each connection of a pool. */
export const sockets = (target: Target): (() => Duplex) => {
  const memory = { isEncrypted: target.mode === "prefer" }
  return () => new NegotiatedSocket(target, memory)
}

class NegotiatedSocket extends Duplex {
  readonly #target: Target
  /** Whether the last connection of this pool was encrypted. Cancel requests use the same. */
  readonly #memory: { isEncrypted: boolean }
  #socket: Socket | undefined
  #first: Buffer = Buffer.alloc(0)
  #hasRetried = false
  /** The first refusal of the server, kept for the second attempt. */
  #refusal: Buffer | undefined

  constructor(target: Target, memory: { isEncrypted: boolean }) {
    super()
    this.#target = target
    this.#memory = memory
  }

  /** Connects when the first message is known, because it shows whether this is a session or a cancel request. */
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket !== undefined) {
      this.#socket.write(chunk, done)
      return
    }
    this.#first = Buffer.from(chunk)
    this.#attempt(this.#isCancel ? this.#memory.isEncrypted : this.#target.mode === "prefer")
    done()
  }

  override _read(): void {
    this.#socket?.resume()
  }

  override _final(done: () => void): void {
    if (this.#socket === undefined) return done()
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket?.destroy()
    done(error)
  }

  get #isCancel(): boolean {
    return this.#first.length === 16 && this.#first.readInt32BE(4) === cancelRequestCode
  }

  readonly #fail = (error: Error): void => void this.destroy(error)
  readonly #close = (): void => void this.destroy()

  #watch(socket: Socket): void {
    this.#socket = socket
    socket.on("error", this.#fail).on("close", this.#close)
  }

  #abandon(): void {
    this.#socket?.off("error", this.#fail).off("close", this.#close)
    this.#socket?.on("error", () => {}).destroy()
  }

  #attempt(isEncrypted: boolean): void {
    const socket = connectPlain(this.#target.to)
    this.#watch(socket)
    if (!isEncrypted) {
      socket.once("connect", () => this.#greet(socket, false))
      return
    }
    socket.once("connect", () => socket.write(sslRequest))
    socket.once("data", (answer: Buffer) => {
      // Bytes behind the answer would come from a man in the middle (CVE-2021-23222).
      if (answer.length === 1 && answer[0] === 0x53) return this.#encrypt(socket)
      if (answer.length === 1 && answer[0] === 0x4e) return this.#goWithout(socket)
      if (answer[0] === 0x45) return this.#pass(socket, answer)
      this.destroy(new Error("The server's answer to the request for TLS is invalid"))
    })
  }

  #encrypt(raw: Socket): void {
    raw.off("error", this.#fail).off("close", this.#close)
    const socket = connectEncrypted({ ...this.#target.tls, socket: raw })
    this.#socket = socket
    const onRefused = (error: Error) => {
      if (this.#target.mode === "prefer" && !this.#hasRetried && !this.#isCancel) return this.#retry(false)
      this.destroy(error)
    }
    socket.on("close", this.#close).once("error", onRefused)
    socket.once("secureConnect", () => {
      socket.off("error", onRefused).on("error", this.#fail)
      this.#greet(socket, true)
    })
  }

  /** The server has no TLS. A cancel request is not sent, because it has a secret of an encrypted session. */
  #goWithout(socket: Socket): void {
    if (this.#isCancel) return void this.destroy()
    if (this.#refusal === undefined) return this.#greet(socket, false)
    this.#pass(socket, this.#refusal)
  }

  #retry(isEncrypted: boolean, refusal?: Buffer): void {
    this.#hasRetried = true
    this.#refusal = refusal
    this.#abandon()
    this.#attempt(isEncrypted)
  }

  #greet(socket: Socket, isEncrypted: boolean): void {
    socket.write(this.#first)
    socket.once("data", (reply: Buffer) => {
      const isRefused = isEncryptionRefusal(reply)
      const isFirst = isEncrypted === (this.#target.mode === "prefer")
      if (isRefused && isFirst && !this.#hasRetried) return this.#retry(!isEncrypted, reply)
      if (!isRefused && !this.#isCancel) this.#memory.isEncrypted = isEncrypted
      // Of two refusals, pass on the one over TLS, because the other one only demands TLS.
      this.#pass(socket, isRefused && !isEncrypted && this.#refusal !== undefined ? this.#refusal : reply)
    })
    socket.once("end", () => this.push(null))
  }

  #pass(socket: Socket, first: Buffer): void {
    const forward = (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause()
    }
    socket.on("data", forward)
    forward(first)
  }
}
