/** `spawn` that finds programs as Windows does; elsewhere it is Node's. */
declare module 'cross-spawn' {
  import type { spawn } from 'node:child_process';

  const crossSpawn: typeof spawn;
  export = crossSpawn;
}
