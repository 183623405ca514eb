/** `batonctl context`: which controllers, and who we are to them. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { ClientContext } from '../../../proto/gen/baton/v1/config.js';
import { spkiPin } from '../../../proto/process/certificate-pin.js';
import { isResourceName } from '../../../proto/rules/names.js';
import { suggestion } from '../../../proto/rules/nearest-name.js';
import { singleLine } from '../../../proto/rules/printable-text.js';
import { until } from '../ages.js';
import { chooseContext, readContextFile, withContext, writeContextFile } from '../context-file.js';
import { Failure, messageOf } from '../failure.js';
import { action, addCommonOptions, type Invocation } from '../invocation.js';
import { printLines, printPlain } from '../output.js';
import { Session } from '../session.js';
import type { Surroundings } from '../surroundings.js';
import { renderTable } from '../table.js';

interface AddOptions {
  readonly from?: string;
  readonly controller?: readonly string[];
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

export function contextCommand(surroundings: Surroundings): Command {
  const list = new Command('list').description('list the contexts');
  const show = new Command('show')
    .description('show a context, without its private key')
    .argument('[name]', 'unset: the current one');
  const use = new Command('use').description('make a context the current one').argument('<name>');
  const remove = new Command('remove').description('remove a context').argument('<name>');
  const add = new Command('add')
    .description("add a context, or replace the one of that name, from a controller's operator.yaml or from PEM files")
    .argument('[name]', 'name of the context; with --from, unset: as in the file')
    .option('--from <file>', "operator.yaml of the controller's data directory")
    .addOption(
      new Option('--controller <host:port>', 'address of a controller; may be given again').argParser(
        (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
      ),
    )
    .option('--ca <file>', "the controllers' certificate authority, PEM")
    .option('--certificate <file>', "the operator's certificate, PEM")
    .option('--key <file>', "the operator's private key, PEM");
  return new Command('context')
    .description('choose the controllers to talk to')
    .addCommand(addCommonOptions(list, { format: true }).action(action(surroundings, listContexts)))
    .addCommand(addCommonOptions(show, { format: true }).action(action(surroundings, showContext)))
    .addCommand(addCommonOptions(use, { format: false }).action(action(surroundings, useContext)))
    .addCommand(addCommonOptions(add, { format: false }).action(action(surroundings, addContext)))
    .addCommand(addCommonOptions(remove, { format: false }).action(action(surroundings, removeContext)));
}

async function listContexts({ contextFile, format, surroundings, paint }: Invocation): Promise<void> {
  const config = readContextFile(contextFile);
  const contexts = config?.contexts ?? [];
  const current = config?.currentContext ?? '';
  if (format !== 'table') {
    const items = contexts.map(({ name, controllers }) => ({ name, controllers, current: name === current }));
    printPlain(surroundings.stdout, { contexts: items }, format);
  } else if (contexts.length === 0) {
    surroundings.stderr.write(`no contexts in ${contextFile}\n`);
  } else {
    const rows = contexts.map(({ name, controllers }) => [name === current ? '*' : '', name, controllers.join(', ')]);
    printLines(surroundings.stdout, renderTable(['', 'NAME', 'CONTROLLERS'], rows, { paint }));
  }
}

async function showContext(
  { contextFile, context, format, surroundings }: Invocation,
  _options: object,
  name?: string,
): Promise<void> {
  const chosen = name === undefined ? context : chooseContext(contextFile, readContextFile(contextFile), name);
  const { subject, expiresAt } = describeCertificate(chosen);
  const facts = {
    name: chosen.name,
    controllers: chosen.controllers,
    caPin: pinOf(chosen),
    operator: subject,
    certificateExpiresAt: expiresAt?.toISOString() ?? '',
    file: contextFile,
  };
  if (format !== 'table') {
    printPlain(surroundings.stdout, facts, format);
    return;
  }
  const lines: [string, string][] = [
    ['name', facts.name],
    ['controllers', facts.controllers.join(', ')],
    ['CA pin', facts.caPin],
    ['operator', facts.operator],
    ['certificate', `expires ${until(expiresAt, surroundings.now())} (${facts.certificateExpiresAt})`],
    ['file', facts.file],
  ];
  printLines(
    surroundings.stdout,
    lines.map(([label, value]) => `${label.padEnd(13)}${singleLine(value)}`),
  );
}

async function useContext({ contextFile, surroundings }: Invocation, _options: object, name: string): Promise<void> {
  const config = readContextFile(contextFile);
  const chosen = chooseContext(contextFile, config, name);
  writeContextFile(contextFile, { currentContext: chosen.name, contexts: config?.contexts ?? [] });
  surroundings.stderr.write(`the current context is ${singleLine(chosen.name)}\n`);
}

async function removeContext({ contextFile, surroundings }: Invocation, _options: object, name: string): Promise<void> {
  const config = readContextFile(contextFile);
  const chosen = chooseContext(contextFile, config, name);
  const current = config?.currentContext === chosen.name ? '' : (config?.currentContext ?? '');
  const contexts = (config?.contexts ?? []).filter((context) => context !== chosen);
  writeContextFile(contextFile, { currentContext: current, contexts });
  surroundings.stderr.write(`context ${singleLine(chosen.name)} is removed\n`);
}

async function addContext(
  { contextFile, timeoutMs, surroundings }: Invocation,
  options: AddOptions,
  name?: string,
): Promise<void> {
  const added = options.from === undefined ? fromParts(options, name) : fromFile(options.from, options, name);
  if (!isResourceName(added.name)) {
    throw new Failure(2, singleLine(`"${added.name}" cannot be the name of a context: use a-z, 0-9, "-", "_" and "."`));
  }
  // What cannot be used is found now, not when it is needed.
  new Session(added, timeoutMs, surroundings.interrupted).close();
  describeCertificate(added);
  const config = withContext(readContextFile(contextFile), added);
  writeContextFile(contextFile, config);
  const current = config.currentContext === added.name ? ' and is the current one' : '';
  surroundings.stderr.write(`context ${added.name} is in ${contextFile}${current}\n`);
}

function fromFile(file: string, options: AddOptions, name: string | undefined): ClientContext {
  const config = readContextFile(file);
  if (config === undefined) throw new Failure(1, singleLine(`there is no file ${file}`));
  const wanted = config.currentContext === '' ? config.contexts[0]?.name : config.currentContext;
  const found = config.contexts.find((context) => context.name === wanted);
  if (found === undefined) {
    const names = config.contexts.map((context) => context.name);
    throw new Failure(1, singleLine(`${file} has no context "${wanted ?? ''}"${suggestion(wanted ?? '', names)}`));
  }
  return { ...found, name: name ?? found.name, controllers: [...(options.controller ?? found.controllers)] };
}

function fromParts({ controller = [], ca, certificate, key }: AddOptions, name: string | undefined): ClientContext {
  if (
    name === undefined ||
    controller.length === 0 ||
    ca === undefined ||
    certificate === undefined ||
    key === undefined
  ) {
    throw new Failure(
      2,
      'a context needs either --from FILE, or a name and --controller, --ca, --certificate and --key',
    );
  }
  return {
    name,
    controllers: [...controller],
    ca: readPem(ca),
    certificate: readPem(certificate),
    privateKey: readPem(key),
  };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(1, singleLine(`cannot read ${file}: ${messageOf(error)}`), { cause: error });
  }
}

function describeCertificate({ name, certificate }: ClientContext): { subject: string; expiresAt: Date | undefined } {
  try {
    const parsed = new X509Certificate(certificate);
    return { subject: parsed.subject, expiresAt: new Date(parsed.validTo) };
  } catch (error) {
    throw new Failure(1, singleLine(`the certificate of context "${name}" cannot be read: ${messageOf(error)}`), {
      cause: error,
    });
  }
}

function pinOf({ name, ca }: ClientContext): string {
  try {
    return spkiPin(ca);
  } catch (error) {
    throw new Failure(1, singleLine(`the CA of context "${name}" cannot be read: ${messageOf(error)}`), {
      cause: error,
    });
  }
}
