/** A process of its own that opens a vault with the real keychain of its environment. */
import { keychainVault } from '../../src/keychain.ts';
import { fileStore } from '../../src/stores/file-store.ts';
import { whenTold } from './store-process.ts';

const [task = '', directory = ''] = process.argv.slice(2);

const opened = () => keychainVault({ store: fileStore({ directory }), service: 'authchart test' });

whenTold(
  {
    /** Opens the vault and seals something; says what it called it, or with which code it failed. */
    async seal() {
      try {
        const vault = await opened();
        await vault.write(`secret/${process.pid}`, { pid: process.pid });
        return process.pid;
      } catch (thrown) {
        return (thrown as { code: string }).code;
      }
    },
    /** What the first secret of the directory holds, or with which code that failed. */
    async open() {
      try {
        return (await (await opened()).read('secret'))?.value ?? 'nothing';
      } catch (thrown) {
        return (thrown as { code?: string; failure: { code: string } }).failure.code;
      }
    },
  },
  task,
);
