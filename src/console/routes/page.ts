import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import type { FastifyInstance } from "fastify";

const FOLDER = join(import.meta.dirname, "..", "page");
/** What draws the graph, and what that needs: their modules go to the browser as they are. */
const LIBRARIES = ["d3-force", "d3-dispatch", "d3-quadtree", "d3-timer"] as const;
const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".ts": "text/javascript; charset=utf-8",
};

/** In the page: what the libraries are called in its scripts, and where they are. */
const IMPORT_MAP_PLACE = /(?<=<script type="importmap">)\{\}/;

type Asset = { readonly type: string; readonly body: Buffer };

/** The page and all that it loads, read once: nothing else is ever served as a file. Holds no data of anybody. */
export function addPage(app: FastifyInstance): void {
  const assets = new Map([...ownAssets(), ...LIBRARIES.flatMap(libraryAssets)]);
  const imports = Object.fromEntries(
    LIBRARIES.map((name) => [name, `/page/lib/${name}/${basename(entryOf(name))}`]),
  );
  const importMap = JSON.stringify({ imports });
  const html = readFileSync(join(FOLDER, "index.html"), "utf8").replace(IMPORT_MAP_PLACE, importMap);
  const policy = policyOf(importMap);
  app.get("/", { schema: { hide: true } }, (_, reply) =>
    reply.type("text/html; charset=utf-8").header("content-security-policy", policy).send(html),
  );
  app.get<{ Params: { "*": string } }>("/page/*", { schema: { hide: true } }, (request, reply) => {
    const asset = assets.get(request.params["*"]);
    if (asset === undefined) return reply.callNotFound();
    return reply.type(asset.type).send(asset.body);
  });
}

/** Scripts and styles, by what comes after `/page/`. */
function ownAssets(): (readonly [string, Asset])[] {
  return readdirSync(FOLDER).flatMap((file) => {
    const extension = extname(file);
    const type = TYPES[extension];
    if (type === undefined || file.endsWith(".d.ts")) return [];
    const text = readFileSync(join(FOLDER, file), "utf8");
    if (extension !== ".ts") return [[file, { type, body: Buffer.from(text) }] as const];
    const asset = { type, body: Buffer.from(stripped(text)) };
    // Modules import each other as they lie there; the page itself begins with the name that it has when it is built.
    return [
      [file, asset],
      [file.replace(/\.ts$/, ".js"), asset],
    ] as const;
  });
}

/** As Node itself does for what runs here; that it is not for ever in this form is nothing that who looks at the page can do about. */
function stripped(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The modules of a library: those beside its entry. */
function libraryAssets(name: string): (readonly [string, Asset])[] {
  const folder = dirname(entryOf(name));
  return readdirSync(folder).flatMap((file) => {
    const type = TYPES[extname(file)];
    if (type === undefined || file.endsWith(".d.ts")) return [];
    return [[`lib/${name}/${file}`, { type, body: readFileSync(join(folder, file)) }] as const];
  });
}

/** A library of ours, or one that D3's force finds for itself. */
function entryOf(name: string): string {
  const ours = createRequire(import.meta.url);
  const force = ours.resolve("d3-force");
  return name === "d3-force" ? force : createRequire(force).resolve(name);
}

/** Scripts and styles of this process only, and the one script that stands in the page, by its hash. */
function policyOf(importMap: string): string {
  const hash = createHash("sha256").update(importMap).digest("base64");
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
