/** How hosts become nodes and stay nodes: join tokens in, certificates out. */
import { randomUUID } from 'node:crypto';
import type {
  EnrollRequest,
  EnrollResponse,
  RenewCertificateRequest,
  RenewCertificateResponse,
} from '../../proto/gen/baton/v1/agent_service.js';
import type { Logger } from '../../proto/process/logger.js';
import { isResourceName } from '../../proto/rules/names.js';
import type { AgentHub } from '../agents/agent-hub.js';
import type { Authority, IssuedCertificate } from '../identity/authority.js';
import { judgeCertificateRequest } from '../identity/certificate-request.js';
import { hashToken } from '../identity/join-token.js';
import type { Caller } from '../identity/peer-certificate.js';
import type { Revocations } from '../identity/revocations.js';
import { proposeNode } from '../inventory/inventory.js';
import type { Store, StoreTransaction } from '../store/database.js';
import { insertCertificate, insertNode, readNodesNamed, retireNode } from '../store/node-store.js';
import { consumeToken, findUsableToken } from '../store/token-store.js';
import { CallError } from './call-error.js';
import type { Declarations } from './declarations.js';

export interface EnrolmentOptions {
  readonly store: Store;
  readonly authority: Authority;
  readonly declarations: Declarations;
  readonly hub: AgentHub;
  readonly revocations: Revocations;
  /** Of node certificates, in milliseconds. */
  readonly certificateLifetimeMs: number;
  readonly now: () => Date;
  readonly log: Logger;
}

const BAD_TOKEN = 'the token is unknown, used, expired or revoked; "batonctl token create" makes a new one';

export class Enrolment {
  readonly #options: EnrolmentOptions;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
  }

  /**
   * Trades a token for a certificate. The token is used up only if everything else is right, and by one caller only.
   * A name that is or was somebody's is given only for a token that was made for that name.
   * @throws CallError
   */
  async enrol(request: EnrollRequest): Promise<EnrollResponse> {
    const { store, authority, declarations, hub, revocations, now, log } = this.#options;
    const hash = hashToken(request.token);
    const known = await findUsableToken(store, hash, now());
    if (known === undefined) throw new CallError('unauthenticated', BAD_TOKEN);
    const name = request.node || known.node || request.hostName;
    if (!isResourceName(name)) {
      throw new CallError(
        'invalid',
        `"${name.slice(0, 80)}" cannot be a node's name: 1 to 63 characters of a-z, 0-9, "-", "_" and ".", ` +
          'beginning and ending with a letter or digit',
      );
    }
    if (known.node !== '' && known.node !== name) {
      throw new CallError('permission-denied', `this token is for the node ${known.node}, not for ${name}`);
    }
    const publicKey = await this.#keyOf(request.certificateRequest);
    const id = randomUUID();
    const issued = await this.#issue(id, name, publicKey);
    const replaced = await declarations.propose(`enrolment of ${name}`, async (trx, before, at) => {
      const former = await this.#takeName(trx, name, known.node === name, at);
      if (!(await consumeToken(trx, known.id, name, at))) throw new CallError('unauthenticated', BAD_TOKEN);
      await insertNode(trx, id, name, at);
      await insertCertificate(trx, certificateRow(issued, id, name));
      const occasion = { generation: before.generation + 1, at };
      return { proposal: proposeNode(before.inventory, name, id, occasion), result: former };
    });
    if (replaced !== undefined) revocations.revokeSubject(replaced);
    hub.nodeJoined(id, name, issued.notAfter.getTime());
    await hub.refreshWanted(name);
    log.info({ node: name, generation: declarations.current.generation }, 'node joined');
    return { certificate: issued.certificate, ca: authority.certificatePem, node: name };
  }

  /** @throws CallError */
  async renew(request: RenewCertificateRequest, caller: Caller): Promise<RenewCertificateResponse> {
    const { store, authority, hub, log } = this.#options;
    const name = hub.nameOf(caller.id);
    if (name === undefined) throw new CallError('unauthenticated', 'this identity is no node of this controller');
    const publicKey = await this.#keyOf(request.certificateRequest);
    const issued = await this.#issue(caller.id, name, publicKey);
    await insertCertificate(store, certificateRow(issued, caller.id, name));
    hub.certificateRenewed(caller.id, issued.notAfter.getTime());
    log.info({ node: name, until: issued.notAfter.toISOString() }, 'node certificate renewed');
    return { certificate: issued.certificate, ca: authority.certificatePem };
  }

  async #keyOf(certificateRequest: string): Promise<Uint8Array> {
    const verdict = await judgeCertificateRequest(certificateRequest);
    if (!verdict.ok) throw new CallError('invalid', `the certificate request ${verdict.reason}`);
    return verdict.publicKey;
  }

  #issue(id: string, name: string, publicKey: Uint8Array): Promise<IssuedCertificate> {
    const { authority, certificateLifetimeMs, now } = this.#options;
    return authority.issueNode(id, name, publicKey, certificateLifetimeMs, now());
  }

  /** @returns the identity that had the name until now and is retired @throws CallError */
  async #takeName(trx: StoreTransaction, name: string, tokenNamesIt: boolean, at: Date): Promise<string | undefined> {
    const [newest] = await readNodesNamed(trx, name);
    if (newest === undefined) return undefined;
    const inUse = newest.deleted_at === 0;
    if (!tokenNamesIt) {
      const remedy = `if this host is to be ${name} from now on, make a token for it: batonctl token create --node ${name}`;
      throw inUse
        ? new CallError('already-exists', `there is a node ${name} already; ${remedy}`)
        : new CallError('failed-precondition', `${name} was the name of a node that was deleted; ${remedy}`);
    }
    if (!inUse) return undefined;
    await retireNode(trx, newest.id, at);
    return newest.id;
  }
}

function certificateRow(issued: IssuedCertificate, id: string, name: string) {
  return {
    serial: issued.serial,
    role: 'agent',
    subject: id,
    name,
    not_before: issued.notBefore.getTime(),
    not_after: issued.notAfter.getTime(),
    revoked_at: 0,
  };
}
