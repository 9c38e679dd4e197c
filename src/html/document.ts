import { hash } from "node:crypto";
import { Markup, markup } from "./markup.ts";

/** Colours of series, told apart in both schemes; c0 is what was looked for. */
const LIGHT = "#b3261e,#1b6ca8,#3d7a3a,#8a5a00,#6b4ba1,#00757a,#a03c78,#55606b,#b06a2c,#4a4a9c".split(",");
const DARK = "#ff8a7a,#74b5ea,#8ccb86,#e2b455,#b9a0ee,#57c7cb,#ea9ac6,#a9b4bf,#e6a473,#a3a3f2".split(",");

const variables = (colours: readonly string[]) => colours.map((colour, i) => `--c${i}:${colour}`).join(";");

const STYLE = `:root{color-scheme:light;--page:#fff;--text:#1c1c1c;--soft:#56595c;--rule:#d9d9d6;--grid:#e6e6e3;--panel:#f5f5f2;--link:#0b57a4;${variables(LIGHT)}}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;--page:#16181b;--text:#e6e6e3;--soft:#a6abb0;--rule:#3a3e43;--grid:#2c3035;--panel:#1f2226;--link:#8ec1f5;${variables(DARK)}}}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--text);background:var(--page);overflow-wrap:anywhere}td,th{overflow-wrap:break-word}
a{color:var(--link)}:focus-visible{outline:3px solid var(--link);outline-offset:2px}
svg{max-width:100%;height:auto;font-size:12px}svg.chart{width:44rem}svg text{fill:var(--text)}.grid{stroke:var(--grid)}
.line{fill:none;stroke:currentColor}.bar{fill:currentColor}.level{stroke:var(--text);stroke-dasharray:6 3}
${LIGHT.map((_, i) => `.c${i}{color:var(--c${i})}`).join("")}
.wide{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse}caption{text-align:left;font-weight:600;padding-bottom:.2rem}
th,td{padding:.2rem .7rem;border-bottom:1px solid var(--rule);vertical-align:top}th:first-child{text-align:left;font-weight:400}thead th{font-weight:600}
.numbers th,.numbers td{text-align:right;font-variant-numeric:tabular-nums}.words th,.words td{text-align:left}.numbers th:first-child{text-align:left}
.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.85rem}.legend svg{vertical-align:middle}
@media print{body{max-width:none;margin:0}.wide{overflow:visible}a{color:inherit;text-decoration:none}}`;

/**
 * A page that needs nothing else: no network, no script. Its policy lets in the style that is in it, known by its hash, and
 * nothing besides: a style that somebody smuggled in would do nothing either.
 *
 * @param style what this page has besides the style of all
 */
export function htmlDocument({ title, style = "", body }: { title: string; style?: string; body: Markup }) {
  const css = style === "" ? STYLE : `${STYLE}\n${style}`;
  const policy = `default-src 'none'; style-src 'sha256-${hash("sha256", css, "base64")}'; base-uri 'none'; form-action 'none'`;
  // Quotes of the policy stay as they are: nothing in it is from outside.
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<title>${title}</title>
<style>${new Markup(css)}</style>
</head>
<body>
${body}
</body>
</html>
`.text;
}
