/** Pages have these; other schemes are of apps that show pages of their own (`capacitor://localhost`). */
const pages = /^https?:$/

/** No page is served by these, so no browser sends them as an origin. */
const strange = /^(wss?|ftp|file|data|blob|javascript|mailto):$/

/** Why no browser sends this text as an origin (RFC 6454, 6.2), or nothing where one may. */
const mistake = (text: string): string | undefined => {
  if (text === "") return "is empty: take out the comma that is too many"
  if (/^\s|\s$/.test(text)) return "has a space beside it: write commas between origins and no spaces"
  if (/\s/.test(text)) return "has a space in it: write commas between origins"
  if (/["'`]/.test(text)) return "has a quotation mark: leave it out"
  if (text === "*") return "is *: name each origin that may call"
  if (text === "null") return "is null, which sandboxed pages of anybody send: it cannot be allowed"
  if (text.includes("*")) return "has a wildcard: name each origin that may call"
  const [, scheme, rest] = /^([a-z][a-z\d+.-]*:)\/\/([^/?#\\]*)/i.exec(text) ?? []
  if (scheme === undefined || rest === undefined) return "has no scheme: write https:// or http:// before the host"
  const behind = text.slice(scheme.length + 2 + rest.length)
  if (behind === "/") return "has a slash at its end: leave it out"
  if (behind !== "") return "has a path: write only scheme, host and port"
  if (rest.includes("@")) return "has a user name: write only scheme, host and port"
  if (strange.test(scheme.toLowerCase()))
    return "is not an origin of web pages: write https:// or http:// before the host"
  if (/[A-Z]/.test(text)) return "has upper-case letters: write it in lower case, as browsers send it"
  if (!/^[\x21-\x7e]+$/.test(text)) return "has letters outside of ASCII: write the host as browsers send it, xn--..."
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || rest === "") return "is not like https://app.example.com"
  if (pages.test(scheme) && /:\d+$/.test(rest) && url.port === "") {
    return "names the default port: leave out :443 of https and :80 of http"
  }
  const sent = pages.test(scheme) ? url.origin : text
  return sent === text ? undefined : "is not as browsers send it, like https://app.example.com"
}

/** What is wrong with a list of origins that has commas between them; names an origin by its place, never by its text. */
export const originsMistake = (list: string): string | undefined => {
  const origins = list.split(",")
  for (const [index, origin] of origins.entries()) {
    const what = origins.indexOf(origin) < index ? "is there twice: leave one out" : mistake(origin)
    if (what !== undefined) return origins.length === 1 ? `the origin ${what}` : `origin ${index + 1} ${what}`
  }
  return undefined
}
