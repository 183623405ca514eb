/** The file access that the reader needs. Injected, so that it can be tested and never reads anything else. */

/** `not-a-file`: a directory, FIFO, socket or device. `detail` is the system's own text. */
export type FileContent =
  | {
      readonly ok: true;
      readonly bytes: Uint8Array;
      /** Somebody may execute it; keepalived includes no such file. */
      readonly executable?: boolean;
    }
  | {
      readonly ok: false;
      readonly reason: 'missing' | 'not-a-file' | 'too-large' | 'unreadable';
      readonly detail: string;
    };

export interface SourceEdges {
  /** Reads a whole regular file. Never blocks on a FIFO or device and never throws. */
  readonly readFile: (path: string) => FileContent;
  /** Existing paths that match a shell pattern (`*`, `?`, `[...]`, `{a,b}`), sorted. Never throws. */
  readonly glob: (pattern: string) => readonly string[];
  /**
   * What only the host that the file belongs to may be asked. Absent: the file is read elsewhere, where the answers
   * would be another machine's.
   */
  readonly host?: HostEdges;
}

export interface HostEdges {
  /** Value of an environment variable; undefined: it is not set. */
  readonly environment: (name: string) => string | undefined;
  /** Reads a file that the configuration refers to: a key, or the names of routing tables. As `readFile` above. */
  readonly readFile: (path: string) => FileContent;
}
