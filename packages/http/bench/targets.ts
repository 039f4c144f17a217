/** The targets, and the checks of results against them. */
import type { Name } from "./contestants.ts"

/** The least ratio of requests per second of this server to another one. */
interface RatioTarget {
  readonly scenarios: ReadonlyArray<string>
  readonly connections: ReadonlyArray<number>
  readonly against: Name
  readonly atLeast: number
}

const reads = ["get one", "changes poll", "list 50", "filter and sort", "search"]
const writes = ["create", "patch if-match", "complete"]

const ratios: ReadonlyArray<RatioTarget> = [
  { scenarios: reads, connections: [16, 100], against: "fair", atLeast: 2 },
  { scenarios: [...writes, "batch of 50", "mixed 80/20"], connections: [16, 100], against: "fair", atLeast: 1.5 },
  { scenarios: ["get one"], connections: [16], against: "fastify", atLeast: 1.3 },
  { scenarios: ["list 50"], connections: [16], against: "fastify", atLeast: 1.5 },
  { scenarios: writes, connections: [16], against: "fastify", atLeast: 0.9 },
  { scenarios: ["mixed 80/20"], connections: [100], against: "fastify", atLeast: 1.2 },
  { scenarios: ["get one"], connections: [16], against: "limit", atLeast: 0.7 },
  { scenarios: ["list 50"], connections: [16], against: "limit", atLeast: 0.6 },
  { scenarios: writes, connections: [16], against: "limit", atLeast: 0.6 }
]

export const ratioTarget = (scenario: string, connections: number, against: Name): number | undefined =>
  ratios.find(
    (target) =>
      target.scenarios.includes(scenario) && target.connections.includes(connections) && target.against === against
  )?.atLeast

export const targets = {
  /** The p99 of this server must not be worse than that of these contestants. */
  slowest: { scenario: "mixed 80/20", connections: 100, against: "fastify" },
  /** The least ratio of requests per second of polling for changes to reading one todo. */
  changesPoll: 0.8,
  /** The greatest ratio of the speed of the first page to the 1,000th. */
  depth: 1.2,
  /** The greatest ratio of the speed on 10,000 todos to 2,000,000. */
  size: 1.2,
  /** The time until the server is ready, in milliseconds. */
  ready: 1_000,
  /** The time of `todo-admin --help`, in milliseconds. */
  help: 400,
  /** The time of a list command, in milliseconds. */
  list: 600
} as const
