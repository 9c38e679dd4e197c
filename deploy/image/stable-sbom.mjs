// `node stable-sbom.mjs FILE`: the bill of materials that `npm sbom` made, without what differs each time: a number drawn at random, and the
// clock, whose place SOURCE_DATE_EPOCH takes (seconds; 1970 without it).
import { readFileSync } from "node:fs";

const { serialNumber: _, metadata, ...bill } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const timestamp = new Date(Number(process.env.SOURCE_DATE_EPOCH || 0) * 1000).toISOString();
process.stdout.write(`${JSON.stringify({ ...bill, metadata: { ...metadata, timestamp } }, null, 2)}\n`);
