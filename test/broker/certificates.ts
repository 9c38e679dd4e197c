import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate authority of one test, and what it signed. PEM, elliptic curve P-256, good for two days. */
export type Certificates = {
  readonly ca: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** Files for the broker: its key with its certificate, and the authority. */
  readonly serverFile: string;
  readonly caFile: string;
};

/**
 * Makes a certificate authority, a server certificate for 127.0.0.1 and localhost, and a client certificate.
 *
 * @throws {Error} if `openssl` is missing
 */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    try {
      execFileSync("openssl", args, { stdio: "pipe" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new Error("openssl was not found: the tests of TLS need it (Debian: apt install openssl)");
    }
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = ["-x509", ...newKey, "-days", "2", "-subj", "/CN=oddlink test authority"];
  openssl("req", ...authority, "-keyout", file("ca.key"), "-out", file("ca.pem"));
  writeFileSync(file("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  for (const name of ["server", "client"]) {
    const request = ["-new", ...newKey, "-subj", `/CN=${name}`];
    openssl("req", ...request, "-keyout", file(`${name}.key`), "-out", file(`${name}.csr`));
    const signed = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2"];
    const names = ["-extfile", file("names")];
    openssl("x509", "-req", "-in", file(`${name}.csr`), ...signed, ...names, "-out", file(`${name}.crt`));
  }
  const read = (name: string): string => readFileSync(file(name), "utf8");
  writeFileSync(file("server.pem"), read("server.key") + read("server.crt"));
  return {
    ca: read("ca.pem"),
    clientCertificate: read("client.crt"),
    clientKey: read("client.key"),
    serverFile: file("server.pem"),
    caFile: file("ca.pem"),
  };
}
