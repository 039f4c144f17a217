import { expect, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const orders = new URL("../examples/orders/", import.meta.url)
const manifest = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"))

it("the example commits orders, their todos and the outbox together, or rolls all of them back", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL("main.ts", orders))])
  expect(JSON.parse(stdout)).toEqual({
    failure: "OutOfStock",
    refusal: "A todo of an order cannot be deleted",
    todos: [{ title: "Pack 4 tea for alice", completed: true }],
    orders: [{ customer: "alice", pieces: 4, isPacked: true }],
    stock: [{ article: "tea", pieces: 6 }],
    outbox: [
      { what: "create", revision: 1 },
      { what: "update", revision: 2 }
    ]
  })
})

it("the example depends on the versions that this repository uses", () => {
  const core = manifest("../package.json")
  const { dependencies, devDependencies } = manifest("../examples/orders/package.json")
  expect(manifest("../../../package.json").devDependencies).toMatchObject(devDependencies)
  expect(dependencies).toEqual({
    ...core.dependencies,
    ...core.peerDependencies,
    [core.name]: core.version
  })
})
