/** What is on the LANs, seen from the switch: who advertises what, and who answers for an address. */
import { setPriority } from 'node:os';
import type { Host } from '../lab/host.js';
import type { Program } from '../lab/program.js';
import { until } from '../lab/until.js';

/** What the process of a Wire tells. */
export type WireLine =
  | { readonly kind: 'advert'; readonly name: string; readonly vrid: number; readonly priority: number }
  | {
      readonly kind: 'silence';
      readonly name: string;
      readonly vrid: number;
      readonly silentMs: number;
      /** Wall clock. */
      readonly untilMs: number;
    }
  | { readonly kind: 'answers'; readonly address: string; readonly names: readonly string[] };

/** It answers within a fraction of a second, however busy the machine is. */
const WIRE_NICENESS = -10;

export class Wire {
  /** When somebody who advertises had been silent for long: it was not active, or this machine was too busy for it. */
  readonly silences: string[] = [];
  readonly #answers: (WireLine & { readonly kind: 'answers' })[] = [];

  private constructor(private readonly program: Program) {}

  /**
   * @param ports names by port; several ports may have the same name
   * @param silenceMs what is long
   * @param onAdvert called when what is advertised from a port is another priority than before
   */
  static async open(
    switchHost: Host,
    ports: ReadonlyMap<string, string>,
    silenceMs: number,
    onAdvert: (name: string, vrid: number, priority: number) => void,
  ): Promise<Wire> {
    const module = new URL('./wire-main.js', import.meta.url);
    const wire = new Wire(
      switchHost.startModule(module, String(silenceMs), ...[...ports].map(([port, name]) => `${port}=${name}`)),
    );
    wire.program.onLine((text) => {
      if (!text.startsWith('{')) return;
      const line = JSON.parse(text) as WireLine;
      if (line.kind === 'advert') onAdvert(line.name, line.vrid, line.priority);
      else if (line.kind === 'answers') wire.#answers.push(line);
      else {
        const { name, vrid, silentMs, untilMs } = line;
        const at = new Date(untilMs).toISOString().slice(11, 23);
        wire.silences.push(`${name}, VRID ${vrid}: ${silentMs.toFixed(0)} ms without an advertisement until ${at}`);
      }
    });
    await wire.program.untilSays('ready', 30_000);
    setPriority(wire.program.pid, WIRE_NICENESS);
    return wire;
  }

  /** Who answers ARP or neighbour solicitations for the address now; "A virtually" with a virtual MAC address. */
  async whoAnswers(lan: 1 | 2, address: string): Promise<readonly string[]> {
    const before = this.#answers.length;
    this.program.write(`ask br${lan - 1} ${address}\n`);
    const { names } = await until(
      `the answers for ${address}`,
      10_000,
      () => this.#answers[before],
      () => this.program.tail(),
    );
    return names;
  }
}
