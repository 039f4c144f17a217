import { titles } from "./contestants.ts"
import type { Outcome } from "./comparison.ts"

const bar = 13
const gap = 16
const left = 168
const width = 760

/** Draws the requests per second of each contestant as bars. Each scenario has its own scale. */
export const draw = (outcomes: ReadonlyArray<Outcome>, machine: string): string => {
  const few = outcomes.filter(({ connections }) => connections === 16)
  const parts: Array<string> = []
  let y = 40
  for (const { contestants, scenario } of few) {
    const most = Math.max(...contestants.map(({ rate }) => rate))
    parts.push(`<text x="${left - 12}" y="${y + bar - 2}" text-anchor="end" class="name">${scenario}</text>`)
    for (const { name, rate } of contestants) {
      const length = Math.max(1, Math.round((rate / most) * (width - left - 190)))
      const label = `${Math.round(rate).toLocaleString("en")} ${titles[name]}`
      parts.push(`<rect x="${left}" y="${y}" width="${length}" height="${bar - 3}" rx="2" class="${name}"/>`)
      parts.push(`<text x="${left + length + 6}" y="${y + bar - 4}">${label}</text>`)
      y += bar
    }
    y += gap
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 8}" role="img" aria-label="Requests a second">
<style>
text { font: 11px system-ui, sans-serif; fill: #57606a }
.name { font-weight: 600; fill: #1f2328 }
.todo { fill: #1f6feb } .fair { fill: #a371b8 } .pipelined { fill: #c9a9d6 } .fastify { fill: #8c959f } .limit { fill: #c4a25a } .fastapi { fill: #6fa58c }
@media (prefers-color-scheme: dark) { text { fill: #9198a1 } .name { fill: #f0f6fc } .todo { fill: #4493f8 } }
</style>
<text x="${left}" y="20">Requests a second, 16 connections, a scale for each row. ${machine}</text>
${parts.join("\n")}
</svg>
`
}
