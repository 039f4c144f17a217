/** Schemes of web pages. Other schemes belong to apps that show their own pages (`capacitor://localhost`). */
const pages = /^https?:$/

/** Schemes that serve no pages, so that no browser sends them as an origin. */
const impossible = /^(wss?|ftp|file|data|blob|javascript|mailto):$/

/** Why a browser never sends this text as an origin (RFC 6454, 6.2); `undefined` if it may. */
const mistake = (text: string): string | undefined => {
  if (text === "") return "is empty: remove the extra comma"
  if (/^\s|\s$/.test(text)) return "has a space beside it: separate origins by commas without spaces"
  if (/\s/.test(text)) return "has a space in it: separate origins by commas"
  if (/["'`]/.test(text)) return "has a quotation mark: remove it"
  if (text === "*") return "is *: name each origin that may call"
  if (text === "null") return "is null, which every sandboxed page sends: it cannot be allowed"
  if (text.includes("*")) return "has a wildcard: name each origin that may call"
  const [, scheme, rest] = /^([a-z][a-z\d+.-]*:)\/\/([^/?#\\]*)/i.exec(text) ?? []
  if (scheme === undefined || rest === undefined) return "has no scheme: write https:// or http:// before the host"
  const behind = text.slice(scheme.length + 2 + rest.length)
  if (behind === "/") return "has a slash at its end: remove it"
  if (behind !== "") return "has a path: write only scheme, host and port"
  if (rest.includes("@")) return "has a user name: write only scheme, host and port"
  if (impossible.test(scheme.toLowerCase()))
    return "is not an origin of web pages: write https:// or http:// before the host"
  if (/[A-Z]/.test(text)) return "has upper-case letters: write it in lower case, as browsers send it"
  if (!/^[\x21-\x7e]+$/.test(text))
    return "has letters outside of ASCII: write the host in punycode (xn--...), as browsers send it"
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || rest === "") return "is not like https://app.example.com"
  if (pages.test(scheme) && /:\d+$/.test(rest) && url.port === "") {
    return "names the default port: remove :443 of https and :80 of http"
  }
  const sent = pages.test(scheme) ? url.origin : text
  return sent === text ? undefined : "is not as browsers send it, like https://app.example.com"
}

/** The first problem in a list of origins, separated by commas. It names an origin by its number, not by its text. */
export const originsMistake = (list: string): string | undefined => {
  const origins = list.split(",")
  for (const [index, origin] of origins.entries()) {
    const what = origins.indexOf(origin) < index ? "is there twice: remove one" : mistake(origin)
    if (what !== undefined) return origins.length === 1 ? `the origin ${what}` : `origin ${index + 1} ${what}`
  }
  return undefined
}
