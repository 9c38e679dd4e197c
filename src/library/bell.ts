/** Something that several may wait for, again and again. */
export class Bell {
  #next = Promise.withResolvers<void>();

  /** Resolves when it is rung the next time. */
  get rung(): Promise<void> {
    return this.#next.promise;
  }

  ring(): void {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers<void>();
    resolve();
  }
}
