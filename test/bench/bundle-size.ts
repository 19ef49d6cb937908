/** What the interactive flow adds to an application's bundle. */
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

export interface BundleSize {
  readonly minifiedBytes: number;
  readonly gzippedBytes: number;
}

/** Bundles an application that uses nothing but these exports of the module. */
export async function bundleSize(module: string, names: readonly string[], platform: 'node' | 'browser'): Promise<BundleSize> {
  const application = '\0application';
  const bundle = await rolldown({
    input: application,
    platform,
    logLevel: 'silent',
    plugins: [
      {
        name: 'application',
        resolveId: (id) => (id === application ? id : undefined),
        // Called, not re-exported: an application keeps what it uses and nothing else.
        load: (id) =>
          id === application
            ? `import { ${names.join(', ')} } from ${JSON.stringify(module)};\nglobalThis.used = [${names.join(', ')}];`
            : undefined,
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  // Chunks that are only loaded on demand belong to what the flow costs, too.
  const code = Buffer.from(output.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('\n'));
  await bundle.close();
  return {
    minifiedBytes: code.byteLength,
    gzippedBytes: gzipSync(code, { level: 9 }).byteLength,
  };
}
