/** Where browsers and apps can be. */
const webPages = /^https?:\/\//i

/** Segments of characters that no URL escapes, so that each path has one spelling. */
const segment = /^[\w.~-]+$/

const pathMistake = (path: string): string | undefined => {
  const segments = path.replace(/\/$/, "").split("/").slice(1)
  if (segments.includes("")) return "has two slashes in a row in its path: write one"
  if (segments.some((name) => name === "." || name === ".."))
    return "has . or .. in its path: write the path it leads to"
  if (path.includes("%")) return "has a percent-encoded character in its path: choose a path without"
  return segments.every((name) => segment.test(name))
    ? undefined
    : "may have only letters, digits and - . _ ~ in the segments of its path"
}

/** What is wrong with the URL that clients see the server at; nothing where it can be used. Never holds the value. */
export const publicUrlMistake = (text: string): string | undefined => {
  if (/\s/.test(text)) return "has a space in it: take it out"
  if (!webPages.test(text)) return "must begin with https:// or http://, like https://example.com/api"
  if (text.includes("#")) return "has a fragment: leave out # and what follows"
  if (text.includes("?")) return "has a query: leave out ? and what follows"
  const [, host = "", path = ""] = /^https?:\/\/([^/]*)(.*)$/i.exec(text) ?? []
  if (host.includes("@")) return "has a user name: leave out what is before the @, and the @"
  if (host === "" || host.includes("\\") || !URL.canParse(text)) return "must have a host, like https://example.com/api"
  return pathMistake(path)
}

/** The URL without a slash at its end: `https://example.com/api`, `https://todo.example.com`. */
export const parsePublicUrl = (text: string): string => {
  const { origin, pathname } = new URL(text)
  return origin + pathname.replace(/\/$/, "")
}
