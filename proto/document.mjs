// The reference pages in docs/ from the comments of the .proto files: docs/resources.md and docs/agent-yaml.md (what is
// declared) and docs/status.md (what "status -o json" answers). Used by generate.mjs.
import { execFileSync } from 'node:child_process';

/** Where the page of a message's YAML or JSON begins, and what it says first. */
const PAGES = {
  'resources.md': {
    title: 'Resources',
    intro:
      'What is declared in YAML or JSON: documents with `apiVersion: baton/v1`, `kind`, `metadata` and `spec`. Durations are written `1s`, `100ms` or `1m30s`; names of choices in lower case. Examples are in [deploy/examples](../deploy/examples).',
    roots: [
      'Metadata',
      'VirtualRouterSpec',
      'SyncGroupSpec',
      'CheckSpec',
      'BfdSessionSpec',
      'HostNetworkSpec',
      'ReceiverSpec',
      'SecretSpec',
      'NodeSpec',
    ],
  },
  'agent-yaml.md': {
    title: 'agent.yaml',
    intro: 'The file of the host’s owner, `/etc/baton/agent.yaml`. A controller can neither read nor write it.',
    roots: ['AgentConfig'],
  },
  'status.md': {
    title: 'Status',
    intro:
      'What `baton-agent status -o json` answers, and what agents report to their controller (`batonctl status -o json` has one for each node). Durations are written as in resources, times as RFC 3339; what is unset or empty may be absent.',
    roots: ['NodeStatus'],
  },
};

/** Messages that are described where they are used. */
const WORDS = {
  '.google.protobuf.Duration': 'duration',
  '.google.protobuf.Timestamp': 'time',
};

const SCALARS = {
  TYPE_STRING: 'text',
  TYPE_BOOL: 'true or false',
  TYPE_UINT32: 'number',
  TYPE_INT32: 'number',
  TYPE_UINT64: 'number',
  TYPE_BYTES: 'bytes',
};

/** @returns {Map<string, string>} the pages' texts by their names in docs/ */
export function documentationPages(directory) {
  const image = JSON.parse(
    execFileSync('node_modules/.bin/buf', ['build', '-o', '-#format=json'], {
      cwd: directory,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    }),
  );
  const schema = schemaOf(image.file);
  return new Map(Object.entries(PAGES).map(([name, page]) => [name, pageOf(page, schema)]));
}

/** Messages and enums by their full names, with the comments of their parts. */
function schemaOf(files) {
  const schema = new Map();
  for (const file of files) {
    const comments = new Map(
      (file.sourceCodeInfo?.location ?? []).map(({ path, leadingComments = '' }) => [path?.join('.'), leadingComments]),
    );
    // Numbers of the fields in descriptor.proto: 4 message_type, 5 enum_type; in them 2 field, 2 value, 3 nested_type.
    const add = (message, place) => {
      schema.set(`.${file.package}.${message.name}`, {
        name: message.name,
        comment: comments.get(place) ?? '',
        fields: (message.field ?? []).map((field, index) => ({
          ...field,
          comment: comments.get(`${place}.2.${index}`) ?? '',
        })),
        nested: new Map((message.nestedType ?? []).map((nested) => [nested.name, nested])),
      });
    };
    for (const [index, message] of (file.messageType ?? []).entries()) add(message, `4.${index}`);
    for (const [index, choice] of (file.enumType ?? []).entries()) {
      schema.set(`.${file.package}.${choice.name}`, {
        name: choice.name,
        comment: comments.get(`5.${index}`) ?? '',
        values: choice.value.map((value, at) => ({ ...value, comment: comments.get(`5.${index}.2.${at}`) ?? '' })),
      });
    }
  }
  return schema;
}

function pageOf({ title, intro, roots }, schema) {
  const told = new Set();
  const sections = [];
  const waiting = roots.map((name) => `.baton.v1.${name}`);
  while (waiting.length > 0) {
    const name = waiting.shift();
    const described = schema.get(name);
    if (told.has(name) || described === undefined || name in WORDS) continue;
    told.add(name);
    sections.push(described.values === undefined ? messageSection(described, schema) : enumSection(described));
    const used = (described.fields ?? []).map(({ typeName }) => typeName).filter((type) => schema.has(type));
    // What a message is made of comes right after it.
    waiting.unshift(...used.filter((type) => !told.has(type)));
  }
  return `<!-- Made from the .proto files by proto/generate.mjs. Do not edit. -->\n# ${title}\n\n${intro}\n\n${sections.join('\n')}`;
}

function messageSection({ name, comment, fields, nested }, schema) {
  const rows = fields.map((field) => {
    const choice = field.oneofIndex === undefined || field.proto3Optional ? '' : ' (one of these)';
    return `| \`${field.jsonName}\` | ${typeText(field, schema, nested)}${choice} | ${oneLine(field.comment)} |`;
  });
  const table = rows.length === 0 ? '' : `| field | | |\n|---|---|---|\n${rows.join('\n')}\n`;
  return `## ${headingOf(name)}\n${oneLine(comment)}\n\n${table}`;
}

function enumSection({ name, comment, values }) {
  const prefix = `${name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_`;
  const rows = values
    .filter((value) => !value.name.endsWith('_UNSPECIFIED'))
    .map((value) => `| \`${value.name.replace(prefix, '').toLowerCase()}\` | ${oneLine(value.comment)} |`);
  return `## ${headingOf(name)}\n${oneLine(comment)}\n\n| value | |\n|---|---|\n${rows.join('\n')}\n`;
}

function typeText({ type, typeName, label }, schema, nested) {
  const entry = nested.get(typeName?.split('.').at(-1));
  if (entry?.options?.mapEntry) return `${SCALARS[entry.field[1].type] ?? 'value'}s by name`;
  const described = schema.get(typeName);
  const word =
    SCALARS[type] ??
    WORDS[typeName] ??
    (described === undefined
      ? typeName
      : `[${headingOf(described.name)}](#${headingOf(described.name).toLowerCase()})`);
  return label === 'LABEL_REPEATED' ? `list of ${word}` : word;
}

/** The kind that a file names is the message without "Spec". */
function headingOf(name) {
  return name.replace(/Spec$/, '');
}

function oneLine(comment) {
  return comment.trim().replace(/\s+/g, ' ').replaceAll('|', '\\|').replace(/</g, '&lt;');
}
