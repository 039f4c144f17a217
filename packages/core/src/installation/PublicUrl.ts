const webPages = /^https?:\/\//i

/** A segment without characters that a URL may escape, so that each path has only one spelling. */
const segment = /^[\w.~-]+$/

const pathMistake = (path: string): string | undefined => {
  const segments = path.replace(/\/$/, "").split("/").slice(1)
  if (segments.includes("")) return "has two slashes in a row in its path: write one"
  if (segments.some((name) => name === "." || name === "..")) return "has . or .. in its path: write the resolved path"
  if (path.includes("%")) return "has a percent-encoded character in its path: choose a path without one"
  return segments.every((name) => segment.test(name))
    ? undefined
    : "may have only letters, digits and - . _ ~ in the segments of its path"
}

/** The first problem of a public URL, or `undefined`. The message never has the value. */
export const publicUrlMistake = (text: string): string | undefined => {
  if (/\s/.test(text)) return "has a space in it: remove it"
  if (!webPages.test(text)) return "must begin with https:// or http://, like https://example.com/api"
  if (text.includes("#")) return "has a fragment: remove # and what follows"
  if (text.includes("?")) return "has a query: remove ? and what follows"
  const [, host = "", path = ""] = /^https?:\/\/([^/]*)(.*)$/i.exec(text) ?? []
  if (host.includes("@")) return "has a user name: remove the @ and what is before it"
  if (host === "" || host.includes("\\") || !URL.canParse(text)) return "must have a host, like https://example.com/api"
  return pathMistake(path)
}

/** The URL without the slash at its end: `https://example.com/api`, `https://todo.example.com`. */
export const parsePublicUrl = (text: string): string => {
  const { origin, pathname } = new URL(text)
  return origin + pathname.replace(/\/$/, "")
}
