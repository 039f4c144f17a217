/**
 * The domain: schemas, ids and typed errors. It has no Node modules, so it runs in a browser.
 */
export * from "./domain/Account.ts"
export * from "./domain/Batch.ts"
export * from "./domain/Change.ts"
export * from "./domain/Errors.ts"
export * from "./domain/IdempotencyKey.ts"
export * from "./domain/Move.ts"
export * from "./domain/Page.ts"
export * from "./domain/Input.ts"
export { explain, InputIssue } from "./domain/InputIssue.ts"
export * from "./domain/Revision.ts"
export * from "./domain/Time.ts"
export * from "./domain/Todo.ts"
export * from "./domain/TodoList.ts"
export * from "./domain/TodoQuery.ts"
export * from "./domain/User.ts"
export { zonedTime } from "./domain/zonedTime.ts"
