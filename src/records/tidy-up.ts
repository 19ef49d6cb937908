/** Deletes what is no longer needed after an outcome is settled; a failure of the store must not change that outcome. */
export async function tidyUp(work: Promise<unknown>): Promise<void> {
  await work.catch(() => undefined);
}
