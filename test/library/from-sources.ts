import { registerHooks } from "node:module";

const ENTRY = new URL("../../src/index.ts", import.meta.url).href;

// What programs import as the package is here what it is built of: no test needs a build first, or passes on an old one.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "oddlink" ? { url: ENTRY, shortCircuit: true } : next(specifier, context),
});
