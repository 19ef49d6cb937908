/** Bytes that wait for their reader. Small chunks are joined as they come: each alone would take several times what is in it. */

export type Chunk = Uint8Array<ArrayBuffer>;

export interface JoinedChunks {
  /** What they take in memory, and not only what is in them. */
  readonly bytes: number;
  readonly pieces: number;
  add(chunk: Chunk): void;
  /** The oldest. */
  take(): Chunk | undefined;
  clear(): void;
}

interface Piece {
  readonly room: Chunk;
  used: number;
}

const PIECE_BYTES = 64 * 1024;

export function joinedChunks(): JoinedChunks {
  const pieces: Piece[] = [];
  let bytes = 0;
  const push = (room: Chunk, used: number): Piece => {
    const piece = { room, used };
    pieces.push(piece);
    bytes += room.byteLength;
    return piece;
  };
  return {
    get bytes() {
      return bytes;
    },
    get pieces() {
      return pieces.length;
    },
    add(chunk) {
      // Readers who keep up get chunks as they come.
      if (chunk.byteLength >= PIECE_BYTES || (pieces.length === 0 && chunk.byteLength > 0)) {
        push(ownBuffer(chunk), chunk.byteLength);
        return;
      }
      let left = chunk;
      while (left.byteLength > 0) {
        const last = pieces.at(-1);
        const piece = last === undefined || last.used === last.room.byteLength ? push(new Uint8Array(PIECE_BYTES), 0) : last;
        const fits = left.subarray(0, piece.room.byteLength - piece.used);
        piece.room.set(fits, piece.used);
        piece.used += fits.byteLength;
        left = left.subarray(fits.byteLength);
      }
    },
    take() {
      const piece = pieces.shift();
      if (piece === undefined) return undefined;
      bytes -= piece.room.byteLength;
      return piece.used === piece.room.byteLength ? piece.room : piece.room.slice(0, piece.used);
    },
    clear() {
      pieces.length = 0;
      bytes = 0;
    },
  };
}

/** A part of a larger buffer keeps all of it. */
const ownBuffer = (chunk: Chunk): Chunk => (chunk.byteLength === chunk.buffer.byteLength ? chunk : new Uint8Array(chunk));
