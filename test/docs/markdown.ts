import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import GithubSlugger from "github-slugger";
import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";

export const ROOT = join(import.meta.dirname, "..", "..");

/** Every page of the project, by its path from the root. */
export const PAGES = globSync("**/*.md", {
  cwd: ROOT,
  exclude: (path) => /(^|\/)(node_modules|out|dist)(\/|$)/.test(path),
}).sort();

export type Link = { readonly url: string; readonly line: number };
export type Block = { readonly language: string; readonly text: string; readonly line: number };

export type Page = {
  readonly path: string;
  readonly links: readonly Link[];
  readonly blocks: readonly Block[];
  /** What may stand behind a # in a link. */
  readonly anchors: ReadonlySet<string>;
};

export function readPage(path: string): Page {
  const text = readFileSync(join(ROOT, path), "utf8");
  const slugger = new GithubSlugger();
  const links: Link[] = [];
  const blocks: Block[] = [];
  const anchors = new Set<string>();
  visit(fromMarkdown(text), (node) => {
    const line = node.position!.start.line;
    if (node.type === "link" || node.type === "image" || node.type === "definition")
      links.push({ url: node.url, line });
    else if (node.type === "inlineCode") blocks.push({ language: "inline", text: node.value, line });
    else if (node.type === "code") blocks.push({ language: node.lang ?? "", text: node.value, line });
    else if (node.type === "heading") anchors.add(slugger.slug(textOf(node)));
    else if (node.type === "html")
      for (const [, url] of node.value.matchAll(/(?:src|srcset|href)="([^"]+)"/g))
        links.push({ url: url!, line });
  });
  return { path, links, blocks, anchors };
}

function visit(node: Nodes, on: (node: Nodes) => void): void {
  on(node);
  if ("children" in node) for (const child of node.children) visit(child, on);
}

function textOf(node: Nodes): string {
  if ("value" in node) return node.value;
  return "children" in node ? node.children.map(textOf).join("") : "";
}
