/** Errors of the command line itself. Those of the database and of its data are declared in core. */
import * as Schema from "effect/Schema"

/** The arguments of the command line are invalid. */
export class Usage extends Schema.TaggedError<Usage>()("Usage", { message: Schema.String }) {}

/** The user answered no to a confirmation. */
export class ConfirmationDeclined extends Schema.TaggedError<ConfirmationDeclined>()("ConfirmationDeclined", {}) {
  override readonly message = "Nothing was changed"
}

/** `doctor` found a problem. */
export class ProblemsFound extends Schema.TaggedError<ProblemsFound>()("ProblemsFound", { count: Schema.Int }) {
  override get message() {
    return `${this.count === 1 ? "1 problem" : `${this.count} problems`} found`
  }
}
