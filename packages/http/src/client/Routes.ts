import type { Routes } from "./ContractTypes.ts"

/** The routes of the contract. They are repeated here to keep schemas out of the bundle; their type checks them. */
export const routes: Routes = {
  todos: {
    list: ["GET", "/v1/todos", false],
    create: ["POST", "/v1/todos", true],
    get: ["GET", "/v1/todos/:id", false],
    put: ["PUT", "/v1/todos/:id", false],
    update: ["PATCH", "/v1/todos/:id", false],
    delete: ["DELETE", "/v1/todos/:id", false],
    restore: ["POST", "/v1/todos/:id/restore", true],
    move: ["POST", "/v1/todos/:id/move", true],
    batch: ["POST", "/v1/todos/batch", true]
  },
  lists: {
    list: ["GET", "/v1/lists", false],
    create: ["POST", "/v1/lists", true],
    get: ["GET", "/v1/lists/:id", false],
    put: ["PUT", "/v1/lists/:id", false],
    update: ["PATCH", "/v1/lists/:id", false],
    delete: ["DELETE", "/v1/lists/:id", false],
    restore: ["POST", "/v1/lists/:id/restore", true],
    move: ["POST", "/v1/lists/:id/move", true]
  },
  changes: {
    page: ["GET", "/v1/changes", false],
    me: ["GET", "/v1/me", false]
  }
}
