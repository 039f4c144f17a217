/** What has to be reached, and whether it is. */
import type { Name } from "./contestants.ts"

/** How many times as many requests a second ours answers as another does, at least. */
interface RatioTarget {
  readonly scenarios: ReadonlyArray<string>
  readonly connections: number
  readonly against: Name
  readonly atLeast: number
}

const writes = ["create", "patch if-match", "complete"]

const ratios: ReadonlyArray<RatioTarget> = [
  { scenarios: ["get one"], connections: 16, against: "fastify", atLeast: 1.3 },
  { scenarios: ["list 50"], connections: 16, against: "fastify", atLeast: 1.5 },
  { scenarios: writes, connections: 16, against: "fastify", atLeast: 0.9 },
  { scenarios: ["mixed 80/20"], connections: 100, against: "fastify", atLeast: 1.2 },
  { scenarios: ["get one"], connections: 16, against: "limit", atLeast: 0.7 },
  { scenarios: ["list 50"], connections: 16, against: "limit", atLeast: 0.6 },
  { scenarios: writes, connections: 16, against: "limit", atLeast: 0.6 },
  { scenarios: ["get one"], connections: 16, against: "fastapi", atLeast: 15 },
  { scenarios: ["list 50"], connections: 16, against: "fastapi", atLeast: 12 },
  { scenarios: writes, connections: 16, against: "fastapi", atLeast: 8 },
  { scenarios: ["mixed 80/20"], connections: 100, against: "fastapi", atLeast: 10 }
]

export const ratioTarget = (scenario: string, connections: number, against: Name): number | undefined =>
  ratios.find(
    (target) => target.scenarios.includes(scenario) && target.connections === connections && target.against === against
  )?.atLeast

export const targets = {
  /** Of whose p99 ours is no worse. */
  slowest: { scenario: "mixed 80/20", connections: 100, against: "fastify" },
  /** Requests a second of polling for changes, against ours of getting one. */
  changesPoll: 0.8,
  /** How many times as fast the first page may be as the 1,000th. */
  depth: 1.2,
  /** How many times as fast a table of 10,000 todos may be as one of 2,000,000. */
  size: 1.2,
  /** MiB. */
  memory: 200,
  /** Milliseconds. */
  ready: 1_000,
  /** Milliseconds. */
  help: 400,
  /** Milliseconds. */
  list: 600
} as const
