/** The mail settings of several hosts as Receiver resources. */
import { MailSecurity, type Resource } from '../gen/baton/v1/resources.js';
import { microsToDuration } from '../rules/duration.js';
import { MICROS_PER_SECOND } from '../rules/time.js';
import type { GlobalDefinitions } from './config.js';
import type { NamedHost } from './import-host.js';
import type { Located, Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';

export interface ImportedReceivers {
  readonly resources: readonly Resource[];
  /** "Receiver NAME" to its smtp_server. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** The Receiver that a host mails through; undefined when it has no mail settings. */
  readonly nameOf: (host: NamedHost) => string | undefined;
}

const DEFAULT_TIMEOUT = 30 * MICROS_PER_SECOND;
const NAME = 'mail';

interface Found {
  readonly name: string;
  readonly key: string;
  readonly from: string;
  readonly resource: Resource;
  readonly origin: Origin;
}

/** Hosts with the same server and recipients share one Receiver, so that one failover is one mail. */
export function importReceivers(hosts: readonly NamedHost[], remarks: Remarks): ImportedReceivers {
  const found: Found[] = [];
  const byHost = new Map<NamedHost, string>();
  for (const host of hosts) {
    const { global } = host.config;
    const server = global.smtpServer;
    const recipients = recipientsOf(global, remarks);
    const origin = server?.origin ?? global.notificationEmail[0]?.origin;
    if (origin === undefined) continue;
    if (server === undefined || recipients.length === 0) {
      const what = server === undefined ? 'no smtp_server' : 'no usable notification_email';
      remarks.warning(origin, `there is ${what}, so no mail is sent, by keepalived and by Baton`);
      continue;
    }
    const from = senderOf(global, host.node, origin, remarks);
    const timeout = global.smtpConnectTimeout?.value ?? DEFAULT_TIMEOUT;
    const key = JSON.stringify([server.value, [...recipients].sort(), timeout, global.smtpHeloName?.value]);
    const same = found.find((other) => other.key === key);
    if (same !== undefined) {
      byHost.set(host, same.name);
      if (same.from !== from) {
        remarks.warning(
          global.notificationEmailFrom?.origin ?? origin,
          `the sender differs from that of ${same.origin.file}:${same.origin.line}; the controller sends all mail as ${quoted(same.from)}`,
        );
      }
      continue;
    }
    const name = found.length === 0 ? NAME : `${NAME}-${found.length + 1}`;
    if (found.length > 0) {
      remarks.warning(
        origin,
        `mail settings differ from those of ${found[0]?.origin.file}:${found[0]?.origin.line}; they become a receiver of their own, ${name}`,
      );
    }
    reportServer(server.value.host, name, server.origin, remarks);
    byHost.set(host, name);
    found.push({
      name,
      key,
      from,
      origin,
      resource: {
        metadata: { name, labels: {}, generation: 0, createdAt: undefined, updatedAt: undefined },
        spec: {
          $case: 'receiver',
          value: {
            kind: {
              $case: 'email',
              value: {
                host: server.value.host,
                port: server.value.port,
                security: MailSecurity.OPPORTUNISTIC,
                authentication: undefined,
                from,
                to: [...recipients],
                timeout: timeout === DEFAULT_TIMEOUT ? undefined : microsToDuration(timeout),
                heloName: global.smtpHeloName?.value ?? '',
                ca: '',
              },
            },
          },
        },
      },
    });
  }
  return {
    resources: found.map((entry) => entry.resource),
    origins: new Map(found.map((entry) => [`Receiver ${entry.name}`, entry.origin])),
    nameOf: (host) => byHost.get(host),
  };
}

/** Those that a mail server far away can deliver to. */
function recipientsOf(global: GlobalDefinitions, remarks: Remarks): readonly string[] {
  const recipients = new Set<string>();
  for (const entry of global.notificationEmail) {
    const address = addressOf(entry, remarks);
    if (address.includes('@')) recipients.add(address);
    else {
      remarks.warning(
        entry.origin,
        `recipient ${quoted(entry.value)} has no domain, which only a mail server on the host could add; it is left out, write name@host`,
      );
    }
  }
  return [...recipients];
}

/** "Name <name@host>" without its name, which the controller does not write. */
function addressOf({ value, origin }: Located<string>, remarks: Remarks): string {
  const inner = /<([^<>]+)>\s*$/u.exec(value)?.[1];
  if (inner === undefined) return value;
  remarks.note(origin, `${quoted(value)}: the name is left out, ${quoted(inner)} is taken`);
  return inner;
}

function senderOf(global: GlobalDefinitions, node: string, origin: Origin, remarks: Remarks): string {
  const given = global.notificationEmailFrom;
  if (given !== undefined) return addressOf(given, remarks);
  const sender = `keepalived@${node}`;
  remarks.warning(
    origin,
    `notification_email_from is missing; keepalived would use its user and host name, Baton uses ${sender}`,
  );
  return sender;
}

function reportServer(host: string, receiver: string, origin: Origin, remarks: Remarks): void {
  remarks.note(
    origin,
    `receiver ${receiver}: mail is sent by the controller, with STARTTLS where the server offers it and in clear otherwise, as keepalived always does; an agent without a controller (run --standalone) sends none`,
  );
  if (host === 'localhost' || host === '::1' || host.startsWith('127.')) {
    remarks.warning(
      origin,
      `smtp_server ${quoted(host)} is now the controller's host, not this one: a mail server must listen there, or name another`,
    );
  }
}
