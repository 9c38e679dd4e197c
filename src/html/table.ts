import { Markup, markup } from "./markup.ts";

/** A cell: text, or markup that is made already. */
export type Cell = string | number | Markup;

/** A table that says by itself what it shows. The first cell of a row names the row. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  kind: "numbers" | "words" = "numbers",
): Markup {
  const cells = head.map((cell) => markup`<th scope="col">${cell}</th>`);
  const lines = rows.map(
    ([name, ...values]) =>
      markup`<tr><th scope="row">${name!}</th>${values.map((value) => markup`<td>${value}</td>`)}</tr>\n`,
  );
  return markup`<div class="wide"><table class="${kind}"><caption>${caption}</caption><thead><tr>${cells}</tr></thead><tbody>
${lines}</tbody></table></div>`;
}

export const NOTHING = new Markup("");
