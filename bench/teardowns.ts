/** What has to be undone at the end of a bench, also when it fails: the last first. Stands where tests have their context. */
export class Teardowns {
  readonly #teardowns: (() => unknown)[] = [];

  after(teardown: () => unknown): void {
    this.#teardowns.push(teardown);
  }

  async run(): Promise<void> {
    for (const teardown of this.#teardowns.splice(0).reverse()) await teardown();
  }
}

/** Runs a bench, and undoes what it did when it ends, fails, or is interrupted. */
export async function withTeardowns(bench: (teardowns: Teardowns) => Promise<void>): Promise<void> {
  const teardowns = new Teardowns();
  const interrupted = new Promise<never>((_, reject) => {
    process.once("SIGINT", () => reject(new Error("interrupted")));
    process.once("SIGTERM", () => reject(new Error("ended from outside")));
  });
  try {
    await Promise.race([bench(teardowns), interrupted]);
  } finally {
    await teardowns.run();
  }
}
